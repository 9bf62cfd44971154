// Live files that a Studio server shows.
#pragma once

#include <memory>

#include "blob/live_files.hpp"
#include "net/api_client.hpp"

namespace studio::blob {

class RemoteLiveFiles final : public LiveFiles {
 public:
  explicit RemoteLiveFiles(std::shared_ptr<net::ApiClient> api) : api_(std::move(api)) {}

  Result<std::uint64_t> append(const LiveFile& file, std::uint64_t offset, ByteView bytes) override;
  Result<void> replace(const LiveFile& file, ByteView bytes) override;

 private:
  const std::shared_ptr<net::ApiClient> api_;
};

}  // namespace studio::blob
