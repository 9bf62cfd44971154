// blob::Store: named immutable or replaceable objects, the only way Studio's content reaches a disk or a bucket.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"

namespace studio::blob {

// A key is '/'-separated components of [A-Za-z0-9._-], none of them empty, "." or ".." or longer than 255 bytes, at
// most 512 bytes in all; the first component does not begin with '.' (a backend may keep its own files there). Anything
// else is `invalid`. No key may be another key's directory ("a" beside "a/b"): put() answers `invalid` where the
// backend can tell.
bool valid_key(std::string_view key);
Result<void> check_key(std::string_view key);

struct ObjectInfo {
  std::string key;
  std::uint64_t size = 0;  // bytes
  WallTime modified;       // by the store's clock; for people, never compared
  std::string etag;        // changes whenever the content does
};

// Bytes [offset, offset + length), cut at the object's end. An offset beyond the end is `invalid`.
struct Range {
  std::uint64_t offset = 0;
  std::uint64_t length = std::numeric_limits<std::uint64_t>::max();
};

struct Condition {
  enum class Kind { none, if_absent, if_match };
  Kind kind = Kind::none;
  std::string etag = {};  // kind if_match

  static Condition none() { return {}; }
  static Condition if_absent() { return {Kind::if_absent, {}}; }
  static Condition if_match(std::string etag) { return {Kind::if_match, std::move(etag)}; }
};

// The bytes of a whole object, which live as long as this does and never change, whatever becomes of the object. They
// may be a mapped file: then a page takes memory once it was looked at, and memory that the system can take back.
class ObjectView {
 public:
  explicit ObjectView(Bytes bytes);
  // `release` is called with the bytes when nobody needs them any more.
  using Release = void (*)(ByteView bytes);
  ObjectView(ByteView bytes, Release release);
  ObjectView(ObjectView&& other) noexcept;
  ObjectView& operator=(ObjectView&& other) noexcept;
  ~ObjectView();

  ByteView bytes() const { return bytes_; }

 private:
  Bytes owned_;  // or
  Release release_ = nullptr;
  ByteView bytes_;
};

// Where the bytes of an object come from: the fastest place, or past the caches of this machine what the store itself
// holds, where a backend can tell them apart. Memory that begins at a page makes the latter fast.
enum class ReadFrom { anywhere, medium };

// Thread-safe, and safe with other processes on the same store. All calls block.
class Store {
 public:
  virtual ~Store() = default;

  // `not_found` if there is none.
  virtual Result<ObjectInfo> stat(std::string_view key) = 0;
  virtual Result<Bytes> get(std::string_view key, Range range = {}) = 0;
  // get() into memory of the caller's: fills `buffer` from `offset` on, with less only at the object's end. Returns how
  // many bytes.
  virtual Result<std::size_t> get_into(std::string_view key, std::uint64_t offset, std::span<std::byte> buffer,
                                       ReadFrom from = ReadFrom::anywhere);
  // The whole object, for one of which little is read at a time. As get(), unless the backend can do better.
  virtual Result<ObjectView> view(std::string_view key);

  // The concatenated parts become the object: all or nothing, durable when the call returns, and from then on seen by
  // every reader; a reader of the object it replaces gets that one whole. Returns the etag. `already_exists` when
  // if_absent finds one, `conflict` when if_match finds another etag or nothing. `exhausted` when the store is full.
  virtual Result<std::string> put(std::string_view key, std::span<const ByteView> parts, Condition condition) = 0;

  // Durable when the call returns. Removing what is not there succeeds.
  virtual Result<void> remove(std::string_view key) = 0;

  // Calls `visit` for every object whose key begins with `prefix` (any string), in byte order of the keys; stops at the
  // first error, which it returns. Objects put or removed meanwhile may or may not be seen.
  using Visitor = std::function<Result<void>(const ObjectInfo&)>;
  virtual Result<void> list(std::string_view prefix, const Visitor& visit) = 0;
};

inline Result<std::string> put(Store& store, std::string_view key, ByteView bytes, Condition condition = {}) {
  return store.put(key, std::span(&bytes, 1), std::move(condition));
}

}  // namespace studio::blob
