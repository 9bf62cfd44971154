// A catalog behind a Studio server, which checks who may do what.
#pragma once

#include <memory>

#include "catalog/catalog.hpp"
#include "net/api_client.hpp"

namespace studio::catalog {

// Shows what the token's user may see, and changes what it may change (`denied`).
class RemoteCatalog final : public Catalog {
 public:
  explicit RemoteCatalog(std::shared_ptr<net::ApiClient> api) : api_(std::move(api)) {}

  Result<void> create(const model::Experiment& experiment) override;
  Result<model::Experiment> load(std::string_view key) override;
  Result<std::uint64_t> update(const model::Experiment& experiment) override;
  Result<std::vector<model::Attempt>> attempts(std::string_view key, std::uint64_t from) override;
  Result<Listed> list(const Filter& filter, std::size_t limit) override;
  Result<Changes> changes(std::uint64_t sequence, std::size_t limit) override;
  Result<void> commit(const model::Version& version, std::uint64_t token) override;
  Result<std::vector<model::Version>> versions(std::string_view key, std::optional<std::string> tag) override;
  Result<std::optional<model::Version>> version(std::string_view key, std::string_view tag,
                                                std::uint64_t number) override;
  Result<std::optional<model::Version>> latest(std::string_view key, std::string_view tag) override;

 private:
  // `query`: which of them.
  Result<std::vector<model::Version>> select_versions(std::string_view key, const std::string& query);

  const std::shared_ptr<net::ApiClient> api_;
};

}  // namespace studio::catalog
