#include "os/direct_file.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "os/error.hpp"

namespace studio::os {

namespace {

bool is_aligned(const std::byte* memory) { return reinterpret_cast<std::uintptr_t>(memory) % DirectFile::k_block == 0; }

}  // namespace

Result<DirectFile> DirectFile::begin(const Fd& file, std::uint64_t size, std::string_view name) {
  // Other errors: it cannot be done here, and need not be.
  if (::fallocate(file.get(), 0, 0, static_cast<off_t>(size)) != 0 && (errno == ENOSPC || errno == EDQUOT))
    return system_error("write", name, errno);
  const int flags = ::fcntl(file.get(), F_GETFL);
  return DirectFile(file, ::fcntl(file.get(), F_SETFL, flags | O_DIRECT) == 0);
}

Result<void> DirectFile::write(std::uint64_t offset, ByteView blocks, std::string_view name) {
  if (direct_) {
    const auto written = write_at(file_, offset, blocks, name);
    if (written || written.error().code != Code::invalid) return written;
    // This file system wants it aligned to more.
    direct_ = false;
    ::fcntl(file_, F_SETFL, ::fcntl(file_, F_GETFL) & ~O_DIRECT);
  }
  return write_at(file_, offset, blocks, name);
}

Result<std::size_t> read_direct(const Fd& fd, std::uint64_t offset, std::span<std::byte> buffer,
                                std::string_view name) {
  std::size_t done = 0;
  const std::size_t whole = buffer.size() / DirectFile::k_block * DirectFile::k_block;
  const int flags = ::fcntl(fd.get(), F_GETFL);
  if (whole > 0 && offset % DirectFile::k_block == 0 && is_aligned(buffer.data()) &&
      ::fcntl(fd.get(), F_SETFL, flags | O_DIRECT) == 0) {
    const auto got = read_at(fd, offset, buffer.first(whole), name);
    ::fcntl(fd.get(), F_SETFL, flags);
    // `invalid`: this file system wants it aligned to more, and has read nothing.
    if (!got && got.error().code != Code::invalid) return got;
    done = got ? *got : 0;
    if (got && done < whole) return done;
  }
  TRY_ASSIGN(const std::size_t rest, read_at(fd, offset + done, buffer.subspan(done), name));
  return done + rest;
}

Result<void> write_direct(const Fd& file, std::span<const ByteView> parts, std::uint64_t size, std::string_view name) {
  Bytes buffer(256 << 10);  // aligned, as it is large
  TRY_ASSIGN(DirectFile direct, DirectFile::begin(file, size, name));
  std::uint64_t offset = 0;
  std::size_t used = 0;  // of the buffer: what is no whole block yet
  const auto flush = [&](std::size_t length) -> Result<void> {
    TRY(direct.write(offset, ByteView(buffer).first(length), name));
    offset += length;
    used = 0;
    return {};
  };
  for (ByteView part : parts) {
    while (!part.empty()) {
      std::size_t taken = part.size() / DirectFile::k_block * DirectFile::k_block;
      if (used == 0 && taken > 0 && is_aligned(part.data())) {
        TRY(direct.write(offset, part.first(taken), name));
        offset += taken;
      } else {
        taken = std::min(part.size(), buffer.size() - used);
        std::memcpy(buffer.data() + used, part.data(), taken);
        used += taken;
        if (used == buffer.size()) TRY(flush(used));
      }
      part = part.subspan(taken);
    }
  }
  if (used > 0) {
    const std::size_t whole = DirectFile::whole_blocks(used);
    std::memset(buffer.data() + used, 0, whole - used);
    TRY(flush(whole));
  }
  return set_length(file.get(), size, name);
}

}  // namespace studio::os
