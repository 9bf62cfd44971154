#include "cli/wiring.hpp"

#include <cerrno>
#include <cstdio>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "base/name.hpp"
#include "blob/registry.hpp"
#include "blob/remote_live_files.hpp"
#include "blob/view_cache.hpp"
#include "catalog/registry.hpp"
#include "cli/credentials.hpp"
#include "cli/exit_code.hpp"
#include "cli/format.hpp"
#include "content/index_table.hpp"
#include "engine/recovery.hpp"
#include "os/error.hpp"
#include "os/fd.hpp"
#include "os/file_lock.hpp"
#include "os/paths.hpp"

namespace studio::cli {

namespace {

// What is captured may be private, so nobody else may enter.
constexpr mode_t k_private = 0700;

// A server knows runs under names that were used here, too, before it was, or on another server.
std::string place_of(const Config& config) {
  if (config.database_type != "http") return {};
  std::string name = config.server_url.substr(config.server_url.find("://") + 3);
  for (char& c : name)
    if (!valid_name(std::string_view(&c, 1)) && c != '.') c = '_';
  return "/servers/" + name;
}

template <class T>
Result<T> blameless(Result<T> result) {
  if (result) return result;
  return no_usage_error(std::move(result).error());
}

}  // namespace

Wiring::Wiring(const Config& config, engine::Home home, Messages& messages)
    : config_(config),
      home_{std::move(home.root), place_of(config)},
      messages_(messages),
      report_([this](engine::Severity severity, const std::string& text) { messages_.report(severity, text); }),
      notice_([this](const std::string& text) { report_(engine::Severity::warning, text); }) {}

engine::Services Wiring::services() {
  // Where there are accounts this is the home of a server, which records runs of machines that may have its name.
  const bool is_shared = config_.database_type == "http" || os::exists(home_.accounts());
  return {home_, clock_, *catalog_, *repository_, report_, is_shared, live_files_.get()};
}

Result<engine::Services> Wiring::for_running() {
  TRY(blameless(os::make_durable_directories(home_.root, k_private)));
  TRY(blameless(check_store_is_there()));
  TRY(blameless(open_repository()));
  TRY(blameless(open_catalog()));
  TRY(blameless(engine::repair(services())));
  return services();
}

Result<engine::Services> Wiring::for_looking() {
  TRY(blameless(stand_in_if_nothing_is_there()));
  TRY(blameless(open_repository()));
  TRY(blameless(open_catalog()));
  TRY(blameless(engine::repair(services())));
  return services();
}

Result<content::Repository*> Wiring::repository_for_looking() {
  TRY(blameless(stand_in_if_nothing_is_there()));
  TRY(blameless(open_repository()));
  return repository_.get();
}

// A store that is missing where there is a catalog was lost, or its disk is not mounted: to make an empty one would
// hide that.
Result<void> Wiring::check_store_is_there() {
  if (config_.storage_type != "local" || os::exists(config_.storage_path) || !os::exists(config_.database_path))
    return {};
  return Error{Code::unavailable, concat("the store '", printable(config_.storage_path), "' is not there"),
               concat("mount its disk, restore it from a copy, or correct storage.path; to begin anew, remove '",
                      printable(config_.database_path), "'")};
}

Result<void> Wiring::stand_in_if_nothing_is_there() {
  if (store_ != nullptr || config_.storage_type != "local" || os::exists(config_.storage_path)) return {};
  TRY(check_store_is_there());
  TRY_ASSIGN(store_, blob::open_store({.type = "memory"}));
  TRY_ASSIGN(catalog_, catalog::open_catalog({.type = "memory"}));
  return {};
}

Result<net::ApiOptions> Wiring::server_options() const {
  net::ApiOptions options{
      .url = config_.server_url, .token = config_.server_token, .certificate_authorities = config_.server_certificate};
  if (options.token.empty()) {
    TRY_ASSIGN(const Credentials credentials, load_credentials(home_.credentials()));
    const auto credential = credentials.find(config_.server_url);
    if (credential == credentials.end())
      return Error{Code::unauthenticated, concat("there is no token for ", printable(config_.server_url)),
                   concat("studio login ", config_.server_url, ", or set STUDIOML_TOKEN")};
    options.token = credential->second.token;
  }
  return options;
}

Result<std::shared_ptr<net::ApiClient>> Wiring::server() {
  if (server_ != nullptr) return server_;
  TRY_ASSIGN(const net::ApiOptions options, server_options());
  TRY_ASSIGN(server_, net::ApiClient::open(options, clock_));
  return server_;
}

Result<std::string> Wiring::owner() {
  if (config_.is_owner_set || config_.database_type != "http") return config_.owner;
  TRY_ASSIGN(const auto api, blameless(server()));
  return blameless(user_of_server(*api));
}

Result<void> Wiring::open_repository() {
  if (repository_ != nullptr) return {};
  if (store_ == nullptr) {
    blob::StoreOptions options{.type = config_.storage_type, .path = config_.storage_path};
    if (options.type == "http") {
      TRY_ASSIGN(options.server, server());
    }
    TRY_ASSIGN(store_, blob::open_store(options));
    if (options.type == "http") keep_copies_of_the_index();
  }
  TRY_ASSIGN(repository_,
             content::Repository::open(
                 cached_store_ != nullptr ? *cached_store_ : *store_, clock_,
                 {.cache_directory = home_.stat_caches(), .notice = notice_, .split_numbers = config_.float_planes}));
  return {};
}

// Each command looks into all of it. Where nothing can be written it is asked for each time.
void Wiring::keep_copies_of_the_index() {
  const std::string path = home_.index_copies();
  if (const auto made = os::make_durable_directories(path, k_private); !made) return notice_(made.error().message);
  auto copies = blob::open_store({.type = "local", .path = path});
  if (!copies) return notice_(copies.error().message);
  index_copies_ = *std::move(copies);
  cached_store_ =
      std::make_unique<blob::ViewCache>(*store_, *index_copies_, std::string(content::k_index_prefix), notice_);
}

Result<void> Wiring::open_catalog() {
  if (catalog_ != nullptr) return {};
  if (config_.database_type == "http") {
    TRY_ASSIGN(auto api, server());
    TRY_ASSIGN(catalog_, catalog::open_catalog({.type = config_.database_type, .server = std::move(api)}));
    // What comes too late is no use to who looks on: the next call has it.
    TRY_ASSIGN(net::ApiOptions options, server_options());
    options.tries = 1;
    TRY_ASSIGN(auto impatient, net::ApiClient::open(options, clock_));
    live_files_ = std::make_unique<blob::RemoteLiveFiles>(std::move(impatient));
    return {};
  }
  const std::string& path = config_.database_path;
  if (!os::exists(path)) TRY(rebuild_catalog(path));
  TRY_ASSIGN(catalog_, catalog::open_catalog({.type = config_.database_type, .path = path}));
  return {};
}

// A catalog that is not there is made from the store under another name and moved into place when it is whole: whoever
// is interrupted in the middle, or comes meanwhile, never finds half of it.
Result<void> Wiring::rebuild_catalog(const std::string& path) {
  TRY(os::make_durable_directories(os::parent_of(path), k_private));
  const std::string partial = concat(path, ".new");
  TRY_ASSIGN(const os::FileLock lock, os::FileLock::acquire(concat(path, ".lock")));
  if (os::exists(path)) return {};  // another process was quicker
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) TRY(os::remove_tree(concat(partial, suffix)));
  TRY_ASSIGN(catalog_, catalog::open_catalog({.type = config_.database_type, .path = partial}));
  const auto count = engine::rebuild_catalog(services());
  catalog_.reset();  // closed, it is one file
  if (!count) return count.error();
  if (os::exists(concat(partial, "-wal")))
    return Error{Code::internal, concat("the database '", printable(partial), "' cannot be completed")};
  if (::rename(partial.c_str(), path.c_str()) != 0) return os::system_error("create", path, errno);
  TRY(os::sync_directory(os::parent_of(path)));
  if (*count > 0) {
    messages_.report(engine::Severity::notice, concat("the database was missing and was rebuilt from the store: ",
                                                      counted(*count, "experiment")));
  }
  return {};
}

}  // namespace studio::cli
