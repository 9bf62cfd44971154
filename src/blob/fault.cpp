#include "blob/fault.hpp"

namespace studio::blob {

FaultPolicy fail_call(std::uint64_t number, const Fault& fault) {
  return [=](Call, std::string_view, std::uint64_t current) -> std::optional<Fault> {
    if (current != number) return {};
    return fault;
  };
}

template <class Effect>
auto FaultStore::with_fault(Call call, std::string_view key, Effect effect) -> decltype(effect()) {
  const std::optional<Fault> fault = policy_(call, key, ++calls_);
  if (fault && fault->when == Fault::When::before) return fault->error;
  auto result = effect();
  if (fault && result) return fault->error;
  return result;
}

Result<ObjectInfo> FaultStore::stat(std::string_view key) {
  return with_fault(Call::stat, key, [&] { return inner_.stat(key); });
}

Result<Bytes> FaultStore::get(std::string_view key, Range range) {
  return with_fault(Call::get, key, [&] { return inner_.get(key, range); });
}

Result<std::size_t> FaultStore::get_into(std::string_view key, std::uint64_t offset, std::span<std::byte> buffer,
                                         ReadFrom from) {
  return with_fault(Call::get, key, [&] { return inner_.get_into(key, offset, buffer, from); });
}

Result<ObjectView> FaultStore::view(std::string_view key) {
  return with_fault(Call::get, key, [&] { return inner_.view(key); });
}

Result<std::string> FaultStore::put(std::string_view key, std::span<const ByteView> parts, Condition condition) {
  return with_fault(Call::put, key, [&] { return inner_.put(key, parts, condition); });
}

Result<void> FaultStore::remove(std::string_view key) {
  return with_fault(Call::remove, key, [&] { return inner_.remove(key); });
}

Result<void> FaultStore::list(std::string_view prefix, const Visitor& visit) {
  return with_fault(Call::list, prefix, [&] { return inner_.list(prefix, visit); });
}

}  // namespace studio::blob
