// What was found out about files, kept by their content: the same bytes are looked at once.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "base/concat.hpp"
#include "base/result.hpp"
#include "content/tree.hpp"

namespace studio::server {

// Keeps what was used last, up to a weight in bytes. Thread-safe; two who ask for the same at once may both make it.
template <class T>
class ContentCache {
 public:
  explicit ContentCache(std::size_t most) : most_(most) {}

  // `make` returns a pair of what is kept and its weight, or an error, which is not kept.
  template <class Make>
  Result<std::shared_ptr<const T>> get(const content::TreeEntry& file, const Make& make) {
    // Formats are told by extensions too.
    const std::string key = concat(file.name, "/", file.content.digest.hex(), "/", file.content.size);
    const bool is_kept = file.holes.empty();  // which are not in the content
    if (is_kept) {
      const std::lock_guard lock(mutex_);
      const auto found = places_.find(key);
      if (found != places_.end()) {
        entries_.splice(entries_.begin(), entries_, found->second);
        return found->second->value;
      }
    }
    TRY_ASSIGN(auto made, make());
    auto value = std::make_shared<const T>(std::move(made.first));
    if (!is_kept) return value;
    const std::lock_guard lock(mutex_);
    const auto [place, is_new] = places_.try_emplace(key);
    if (!is_new) return place->second->value;
    entries_.push_front({key, value, made.second});
    place->second = entries_.begin();
    weight_ += made.second;
    while (weight_ > most_ && entries_.size() > 1) {
      weight_ -= entries_.back().weight;
      places_.erase(entries_.back().key);
      entries_.pop_back();
    }
    return value;
  }

 private:
  struct Entry {
    std::string key;
    std::shared_ptr<const T> value;
    std::size_t weight = 0;
  };

  const std::size_t most_;
  std::mutex mutex_;
  std::size_t weight_ = 0;
  std::list<Entry> entries_;  // the last used first
  std::map<std::string, typename std::list<Entry>::iterator> places_;
};

}  // namespace studio::server
