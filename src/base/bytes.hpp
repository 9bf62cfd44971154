// Owned and borrowed runs of bytes.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace studio {

// Leaves new elements uninitialised: a buffer that is about to be read into is not cleared first. Large ones begin at a
// page, so that a disk can write from them without a copy.
template <class T>
struct UninitializedAllocator : std::allocator<T> {
  static constexpr std::size_t k_large = 64 << 10;
  static constexpr std::align_val_t k_page{4096};

  T* allocate(std::size_t count) {
    if (count * sizeof(T) < k_large) return std::allocator<T>::allocate(count);
    return static_cast<T*>(::operator new(count * sizeof(T), k_page));
  }
  void deallocate(T* memory, std::size_t count) {
    if (count * sizeof(T) < k_large) return std::allocator<T>::deallocate(memory, count);
    ::operator delete(memory, k_page);
  }
  template <class U>
  struct rebind {
    using other = UninitializedAllocator<U>;
  };
  template <class U>
  void construct(U* place) noexcept(std::is_nothrow_default_constructible_v<U>) {
    ::new (static_cast<void*>(place)) U;
  }
  template <class U, class... Args>
  void construct(U* place, Args&&... args) {
    ::new (static_cast<void*>(place)) U(std::forward<Args>(args)...);
  }
};

using Bytes = std::vector<std::byte, UninitializedAllocator<std::byte>>;
using ByteView = std::span<const std::byte>;

inline ByteView as_bytes(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }
inline std::string_view as_text(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
inline Bytes to_bytes(std::string_view text) {
  const ByteView view = as_bytes(text);
  return {view.begin(), view.end()};
}
inline std::string to_text(ByteView bytes) { return std::string(as_text(bytes)); }

}  // namespace studio
