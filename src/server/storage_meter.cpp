#include "server/storage_meter.hpp"

#include <utility>

#include "content/index_table.hpp"

namespace studio::server {

Result<StorageMeter::Stats> StorageMeter::measure() {
  const std::uint64_t rounds = rounds_;
  const std::lock_guard lock(measuring_);
  if (rounds_ != rounds) return last_;
  last_ = measure_anew();
  ++rounds_;
  return last_;
}

Result<StorageMeter::Stats> StorageMeter::measure_anew() {
  TRY_ASSIGN(State now, state());
  if (last_ && *last_ && now == measured_) return last_;
  TRY_ASSIGN(content::StoreStats stats, content::measure(repository_));
  measured_ = std::move(now);
  return std::make_shared<const content::StoreStats>(std::move(stats));
}

Result<StorageMeter::State> StorageMeter::state() {
  State state;
  TRY(experiments_.refresh());
  state.sequence = experiments_.sequence();
  TRY(repository_.objects().list(content::k_index_prefix, [&](const blob::ObjectInfo& table) -> Result<void> {
    state.tables.push_back(table.key);
    return {};
  }));
  return state;
}

}  // namespace studio::server
