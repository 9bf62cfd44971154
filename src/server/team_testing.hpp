// A server of a team in memory, for tests of who may do what and of those who use it from elsewhere.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/concat.hpp"
#include "blob/live_directory.hpp"
#include "blob/memory.hpp"
#include "catalog/memory.hpp"
#include "content/repository.hpp"
#include "contract/scratch_directory.hpp"
#include "net/api_client.hpp"
#include "server/server.hpp"

namespace studio::server::testing {

// "root" is its administrator.
class TeamServer {
 public:
  explicit TeamServer(std::vector<std::string> urls = {})
      : live_files(directory_ / "live"), accounts_(directory_ / "accounts.json") {
    auto repository = content::Repository::open(store, clock, {});
    EXPECT_TRUE(repository);
    repository_ = *std::move(repository);
    root_token = add("root", Scope::admin, true);
    const auto mark = [this](std::optional<WallTime> deleted) {
      return [this, deleted](const std::string& key) {
        return catalog::redo_update(catalog, key, [&](model::Experiment& experiment) -> Result<void> {
          experiment.deleted = deleted;
          return {};
        });
      };
    };
    backend_.emplace(
        Backend{.catalog = catalog,
                .repository = *repository_,
                .clock = clock,
                .output_path = [this](const std::string&, std::uint64_t) { return directory_ / "output"; },
                .resources_path = [this](const std::string&, std::uint64_t) { return directory_ / "resources.json"; },
                .live_files = &live_files,
                .delete_experiment = mark(clock.now()),
                .restore_experiment = mark(std::nullopt)});
    auto server = Server::listen({.port = 0, .urls = std::move(urls), .accounts = &accounts_}, *backend_);
    EXPECT_TRUE(server) << server.error().message;
    server_ = *std::move(server);
    thread_ = std::jthread([this](std::stop_token stop) { server_->run(std::move(stop)); });
  }

  // Makes the user if there is none, and a token.
  std::string add(const std::string& user, Scope scope, bool is_admin = false,
                  std::optional<WallTime> expires = std::nullopt) {
    IssuedToken token;
    const WallTime issued = expires ? *expires - std::chrono::hours(1) : clock.now();
    const auto done = accounts_.change([&](Accounts& all) -> Result<void> {
      if (all.find_user(user) == nullptr) TRY(add_user(all, user, is_admin, issued));
      TRY_ASSIGN(token, issue_token(all, {.user = user, .scope = scope, .expires = expires}, issued));
      return {};
    });
    EXPECT_TRUE(done) << done.error().message;
    return token.text;
  }

  void share(const std::string& project, const std::string& user, Role role) {
    const auto done = accounts_.change([&](Accounts& all) { return set_role(all, project, user, role); });
    EXPECT_TRUE(done) << done.error().message;
  }

  std::shared_ptr<net::ApiClient> client(const std::string& token) {
    auto api = net::ApiClient::open({.url = server_->url(), .token = token}, clock);
    EXPECT_TRUE(api) << api.error().message;
    return *std::move(api);
  }

  std::uint16_t port() const {
    const std::string url = server_->url();
    return static_cast<std::uint16_t>(std::stoul(url.substr(url.rfind(':') + 1)));
  }
  const Router& router() const { return server_->router(); }
  AccountFile& accounts() { return accounts_; }
  content::Repository& repository() { return *repository_; }
  const Backend& backend() const { return *backend_; }

 private:
  test::ScratchDirectory directory_;

 public:
  SystemClock clock;
  blob::MemoryStore store;
  catalog::MemoryCatalog catalog;
  blob::LiveDirectory live_files;
  std::string root_token;

 private:
  AccountFile accounts_;
  std::unique_ptr<content::Repository> repository_;
  std::optional<const Backend> backend_;
  std::unique_ptr<Server> server_;
  std::jthread thread_;
};

}  // namespace studio::server::testing
