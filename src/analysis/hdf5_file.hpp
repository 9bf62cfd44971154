// The part of HDF5 that leads to names, types and shapes ("HDF5 File Format Specification Version 3.0",
// docs.hdfgroup.org): superblock, object headers, links of groups in both of their forms. A file may be anything: what
// is read of it is bounded, and circles are for the caller to notice.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "analysis/byte_source.hpp"
#include "base/result.hpp"

namespace studio::analysis {

// Numbers out of bytes, one after the other. What is beyond the end is zero, and is_good() false from then on.
class Hdf5Fields {
 public:
  explicit Hdf5Fields(ByteView bytes) : rest_(bytes) {}
  std::uint64_t number(std::size_t size);  // little-endian
  ByteView bytes(std::uint64_t size);
  void skip(std::uint64_t size) { (void)bytes(size); }
  ByteView rest() const { return rest_; }
  bool is_good() const { return is_good_; }

 private:
  ByteView rest_;
  bool is_good_ = true;
};

struct Hdf5Message {
  enum class Type : std::uint16_t {
    dataspace = 0x01,
    link_info = 0x02,
    datatype = 0x03,
    link = 0x06,
    layout = 0x08,
    attribute = 0x0c,
    continuation = 0x10,
    symbol_table = 0x11,
  };
  Type type{};
  bool is_shared = false;  // lies elsewhere; the body says where
  Bytes body;
};

struct Hdf5Link {
  std::string name;
  std::uint64_t address = 0;  // of the object's header
};

// Borrows the file. Errors: `corrupt`, `unsupported`, `exhausted` if there is more than any checkpoint has.
class Hdf5File {
 public:
  static constexpr std::uint64_t k_nowhere = ~std::uint64_t{0};  // an address

  static Result<Hdf5File> open(ByteSource& file);

  std::uint64_t root() const { return root_; }
  std::uint64_t end() const { return end_; }  // where the file ends, as it says itself
  Result<std::vector<Hdf5Message>> messages(std::uint64_t header);
  // Of a group with these messages; only those that lead to an object in the file.
  Result<std::vector<Hdf5Link>> links(const std::vector<Hdf5Message>& group);
  // A text that an attribute refers to: its body is length, address and index of an object in a global heap.
  Result<std::string> text(ByteView reference);

 private:
  struct Heap;  // a fractal heap
  explicit Hdf5File(ByteSource& file) : file_(file) {}

  Result<void> take_account(std::uint64_t bytes);  // what is read, or made of it
  Result<void> read(std::uint64_t address, std::span<std::byte> into);
  Result<Bytes> read(std::uint64_t address, std::uint64_t size);
  Result<Bytes> read_signed(std::uint64_t address, std::uint64_t size, std::string_view signature);
  Result<void> read_messages_1(ByteView block, std::vector<Hdf5Message>& messages);
  Result<void> read_messages_2(ByteView block, bool has_order, std::vector<Hdf5Message>& messages);
  Result<void> read_tree(std::uint64_t node, unsigned level, ByteView names, std::vector<Hdf5Link>& links);
  Result<void> read_symbols(std::uint64_t node, ByteView names, std::vector<Hdf5Link>& links);
  Result<void> read_dense(std::uint64_t heap, std::uint64_t index, std::vector<Hdf5Link>& links);
  Result<Heap> open_heap(std::uint64_t address);
  Result<Bytes> read_heap(const Heap& heap, ByteView id);

  struct Page {
    std::uint64_t number = k_nowhere;
    Bytes bytes;
  };

  ByteSource& file_;
  std::uint64_t root_ = 0;
  std::uint64_t end_ = 0;
  std::uint64_t bytes_read_ = 0;
  std::uint64_t pages_read_ = 0;
  std::array<Page, 16> pages_;
};

}  // namespace studio::analysis
