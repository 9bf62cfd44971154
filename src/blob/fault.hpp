// A store that fails when it is told to: what a full disk, a cut connection or a lost answer looks like from above.
#pragma once

#include <atomic>
#include <functional>
#include <optional>

#include "blob/store.hpp"

namespace studio::blob {

enum class Call { stat, get, put, remove, list };  // a view is a get

struct Fault {
  enum class When {
    before,  // the call has no effect
    after,   // the call takes effect (a list visits everything), and only its answer is lost
  };
  Error error;
  When when = When::before;
};

// Asked once for each call; `number` counts the calls of the decorator from 1. Must be thread-safe if the store is used
// by several threads.
using FaultPolicy = std::function<std::optional<Fault>(Call call, std::string_view key, std::uint64_t number)>;

// Fails the n-th call, whatever it is, and no other.
FaultPolicy fail_call(std::uint64_t number, const Fault& fault);

// Borrows `inner`. An `after` fault of a call that failed by itself gives the error of the call.
class FaultStore final : public Store {
 public:
  FaultStore(Store& inner, FaultPolicy policy) : inner_(inner), policy_(std::move(policy)) {}

  Result<ObjectInfo> stat(std::string_view key) override;
  Result<Bytes> get(std::string_view key, Range range) override;
  Result<std::size_t> get_into(std::string_view key, std::uint64_t offset, std::span<std::byte> buffer,
                               ReadFrom from) override;
  Result<ObjectView> view(std::string_view key) override;
  Result<std::string> put(std::string_view key, std::span<const ByteView> parts, Condition condition) override;
  Result<void> remove(std::string_view key) override;
  Result<void> list(std::string_view prefix, const Visitor& visit) override;

  // How many calls there were: run once without faults, then fail each of 1 to calls().
  std::uint64_t calls() const { return calls_; }

 private:
  template <class Effect>
  auto with_fault(Call call, std::string_view key, Effect effect) -> decltype(effect());

  Store& inner_;
  FaultPolicy policy_;
  std::atomic<std::uint64_t> calls_{0};
};

}  // namespace studio::blob
