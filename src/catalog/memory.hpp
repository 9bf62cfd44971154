// A catalog in memory, for tests and as the reference of what a catalog does.
#pragma once

#include <map>
#include <mutex>

#include "catalog/catalog.hpp"

namespace studio::catalog {

// Lives as long as the value.
class MemoryCatalog final : public Catalog {
 public:
  Result<void> create(const model::Experiment& experiment) override;
  Result<model::Experiment> load(std::string_view key) override;
  Result<std::uint64_t> update(const model::Experiment& experiment) override;
  Result<Listed> list(const Filter& filter, std::size_t limit) override;
  Result<Changes> changes(std::uint64_t sequence, std::size_t limit) override;
  Result<void> commit(const model::Version& version, std::uint64_t token) override;
  Result<std::vector<model::Attempt>> attempts(std::string_view key, std::uint64_t from) override;
  Result<std::vector<model::Version>> versions(std::string_view key, std::optional<std::string> tag) override;
  Result<std::optional<model::Version>> version(std::string_view key, std::string_view tag,
                                                std::uint64_t number) override;
  Result<std::optional<model::Version>> latest(std::string_view key, std::string_view tag) override;

 private:
  using Versions = std::map<std::uint64_t, model::Version>;
  struct Entry {
    model::Experiment experiment;
    std::uint64_t sequence = 0;
    std::vector<model::Attempt> earlier = {};
    std::map<std::string, Versions, std::less<>> tags = {};
  };

  Result<Entry*> find(std::string_view key);
  // With the lock held, as find().
  const Versions& versions_of(std::string_view key, std::string_view tag) const;

  std::mutex mutex_;
  std::map<std::string, Entry, std::less<>> entries_;
  std::uint64_t sequence_ = 0;  // of the last change
};

}  // namespace studio::catalog
