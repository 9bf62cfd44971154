// A store behind a Studio server, which holds its credentials: the objects go through the server.
#pragma once

#include <memory>

#include "blob/store.hpp"
#include "net/api_client.hpp"

namespace studio::blob {

// The server refuses to change or remove what others rely on (`denied`). Where it can sign addresses of the bucket
// behind it, get() and put() are the places to use them.
class RemoteStore final : public Store {
 public:
  explicit RemoteStore(std::shared_ptr<net::ApiClient> api) : api_(std::move(api)) {}

  Result<ObjectInfo> stat(std::string_view key) override;
  Result<Bytes> get(std::string_view key, Range range) override;
  Result<std::size_t> get_into(std::string_view key, std::uint64_t offset, std::span<std::byte> buffer,
                               ReadFrom from) override;
  Result<std::string> put(std::string_view key, std::span<const ByteView> parts, Condition condition) override;
  Result<void> remove(std::string_view key) override;
  Result<void> list(std::string_view prefix, const Visitor& visit) override;

 private:
  Result<Bytes> read(std::string_view key, std::uint64_t offset, std::uint64_t length, ReadFrom from);
  bool is_stored(std::string_view key, std::span<const ByteView> parts);

  const std::shared_ptr<net::ApiClient> api_;
};

}  // namespace studio::blob
