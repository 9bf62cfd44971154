#include "analysis/hdf5_file.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "analysis/checkpoint.hpp"
#include "base/concat.hpp"

namespace studio::analysis {

namespace {

using Type = Hdf5Message::Type;

constexpr std::string_view k_signature = "\x89HDF\r\n\x1a\n";
constexpr std::uint64_t k_page_size = 16 << 10;
constexpr std::uint64_t k_most_pages = 1 << 16;  // that are read, not held: 1 GiB
constexpr std::size_t k_most_blocks = 1000;      // of an object's header
constexpr unsigned k_deepest_tree = 8;
constexpr std::uint64_t k_symbol_size = 40;
constexpr unsigned k_link_index = 5;  // the type of a B-tree of names of links

Error malformed(std::string_view what) { return {Code::corrupt, concat("the HDF5 file ", what)}; }
Error unsupported(std::string_view what) {
  return {Code::unsupported, concat("HDF5 files with ", what, " are not read here")};
}

std::size_t bytes_for(std::uint64_t number) { return (static_cast<std::size_t>(std::bit_width(number)) + 7) / 8; }

// A link in the form of a message. One that leads out of the file, or is a path, has no address.
bool read_link(ByteView body, Hdf5Link& link) {
  Hdf5Fields fields(body);
  if (fields.number(1) != 1) return false;
  const std::uint64_t flags = fields.number(1);
  const std::uint64_t type = (flags & 8) != 0 ? fields.number(1) : 0;
  if ((flags & 4) != 0) fields.skip(8);     // the order of creation
  if ((flags & 0x10) != 0) fields.skip(1);  // the character set
  link.name = as_text(fields.bytes(fields.number(std::size_t{1} << (flags & 3))));
  link.address = type == 0 ? fields.number(8) : Hdf5File::k_nowhere;
  return fields.is_good();
}

}  // namespace

std::uint64_t Hdf5Fields::number(std::size_t size) {
  std::uint64_t value = 0;
  const ByteView taken = bytes(size);
  if (!taken.empty()) std::memcpy(&value, taken.data(), taken.size());
  return value;
}

ByteView Hdf5Fields::bytes(std::uint64_t size) {
  if (size > rest_.size()) {
    rest_ = {};
    is_good_ = false;
    return {};
  }
  const ByteView taken = rest_.first(size);
  rest_ = rest_.subspan(size);
  return taken;
}

Result<Hdf5File> Hdf5File::open(ByteSource& source) {
  Hdf5File file(source);
  TRY_ASSIGN(const Bytes bytes, file.read(0, std::min<std::uint64_t>(source.size(), 128)));
  Hdf5Fields fields(bytes);
  if (as_text(fields.bytes(k_signature.size())) != k_signature) return malformed("is none");
  const std::uint64_t version = fields.number(1);
  if (version > 3) return unsupported(concat("a superblock of version ", version));
  if (version < 2) fields.skip(4);
  const bool is_usual = fields.number(1) == 8 && fields.number(1) == 8;
  if (fields.is_good() && !is_usual) return unsupported("addresses of other sizes than 8 bytes");
  fields.skip(version < 2 ? 9 : 1);
  if (version == 1) fields.skip(4);
  if (fields.number(8) != 0) return unsupported("another base than zero");
  fields.skip(8);  // of the free space, or of the superblock's extension
  file.end_ = fields.number(8);
  if (version < 2) fields.skip(16);  // of the driver; the name of the root
  file.root_ = fields.number(8);
  if (!fields.is_good()) return malformed("is cut off");
  return file;
}

Result<void> Hdf5File::take_account(std::uint64_t bytes) {
  bytes_read_ += bytes;
  if (bytes_read_ > k_most_head) return Error{Code::exhausted, "the HDF5 file describes too much"};
  return {};
}

Result<void> Hdf5File::read(std::uint64_t address, std::span<std::byte> into) {
  TRY(take_account(into.size()));
  while (!into.empty()) {
    const std::uint64_t number = address / k_page_size;
    Page& page = pages_[number % pages_.size()];
    if (page.number != number) {
      if (++pages_read_ > k_most_pages) return Error{Code::exhausted, "the HDF5 file is scattered too widely"};
      const std::uint64_t begin = number * k_page_size;
      TRY_ASSIGN(page.bytes, file_.read(begin, std::min(k_page_size, file_.size() - begin)));
      page.number = number;
    }
    const std::size_t at = address % k_page_size;
    const std::size_t size = std::min(into.size(), page.bytes.size() - at);
    std::copy_n(page.bytes.begin() + static_cast<std::ptrdiff_t>(at), size, into.begin());
    into = into.subspan(size);
    address += size;
  }
  return {};
}

Result<Bytes> Hdf5File::read(std::uint64_t address, std::uint64_t size) {
  if (address > file_.size() || size > file_.size() - address)
    return malformed("is cut off, or refers to what is beyond its end");
  if (size > k_most_head) return Error{Code::exhausted, "the HDF5 file describes too much"};
  Bytes bytes(size);
  TRY(read(address, std::span(bytes)));
  return bytes;
}

Result<Bytes> Hdf5File::read_signed(std::uint64_t address, std::uint64_t size, std::string_view signature) {
  TRY_ASSIGN(Bytes bytes, read(address, size));
  if (!as_text(bytes).starts_with(signature)) return malformed(concat("has no ", signature, " where it says"));
  return bytes;
}

Result<std::vector<Hdf5Message>> Hdf5File::messages(std::uint64_t header) {
  std::vector<Hdf5Message> messages;
  TRY_ASSIGN(const Bytes prefix, read(header, 16));
  Hdf5Fields fields(prefix);
  const bool is_new = as_text(prefix).starts_with("OHDR");
  bool has_order = false;
  if (is_new) {
    fields.skip(5);
    const std::uint64_t flags = fields.number(1);
    has_order = (flags & 4) != 0;
    std::uint64_t size_at = 6;
    if ((flags & 0x20) != 0) size_at += 16;  // times
    if ((flags & 0x10) != 0) size_at += 4;   // when attributes are kept in another way
    const std::size_t size_size = std::size_t{1} << (flags & 3);
    TRY_ASSIGN(const Bytes size, read(header + size_at, size_size));
    TRY_ASSIGN(const Bytes block, read(header + size_at + size_size, Hdf5Fields(size).number(size_size)));
    TRY(read_messages_2(block, has_order, messages));
  } else {
    if (fields.number(1) != 1) return malformed("has no object where it says");
    fields.skip(7);
    TRY_ASSIGN(const Bytes block, read(header + 16, fields.number(4)));
    TRY(read_messages_1(block, messages));
  }
  std::size_t blocks = 0;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    if (messages[i].type != Type::continuation) continue;
    if (++blocks > k_most_blocks) return malformed("has an object whose header does not end");
    Hdf5Fields place(messages[i].body);
    const std::uint64_t address = place.number(8);
    TRY_ASSIGN(const Bytes block, read(address, place.number(8)));
    if (!is_new) {
      TRY(read_messages_1(block, messages));
      continue;
    }
    if (block.size() < 8 || !as_text(block).starts_with("OCHK"))
      return malformed("has an object whose header breaks off");
    TRY(read_messages_2(ByteView(block).subspan(4, block.size() - 8), has_order, messages));
  }
  return messages;
}

Result<void> Hdf5File::read_messages_1(ByteView block, std::vector<Hdf5Message>& messages) {
  for (Hdf5Fields fields(block); fields.rest().size() >= 8;) {
    Hdf5Message& message = messages.emplace_back();
    message.type = static_cast<Type>(fields.number(2));
    const std::uint64_t size = fields.number(2);
    message.is_shared = (fields.number(1) & 2) != 0;
    fields.skip(3);
    const ByteView body = fields.bytes(size);
    if (!fields.is_good()) return malformed("has a damaged object header");
    message.body.assign(body.begin(), body.end());
  }
  return {};
}

Result<void> Hdf5File::read_messages_2(ByteView block, bool has_order, std::vector<Hdf5Message>& messages) {
  const std::size_t head_size = has_order ? 6 : 4;
  for (Hdf5Fields fields(block); fields.rest().size() >= head_size;) {  // what is less is a gap
    Hdf5Message& message = messages.emplace_back();
    message.type = static_cast<Type>(fields.number(1));
    const std::uint64_t size = fields.number(2);
    message.is_shared = (fields.number(1) & 2) != 0;
    if (has_order) fields.skip(2);
    const ByteView body = fields.bytes(size);
    if (!fields.is_good()) return malformed("has a damaged object header");
    message.body.assign(body.begin(), body.end());
  }
  return {};
}

Result<std::vector<Hdf5Link>> Hdf5File::links(const std::vector<Hdf5Message>& group) {
  std::vector<Hdf5Link> links;
  for (const Hdf5Message& message : group) {
    Hdf5Fields fields(message.body);
    if (message.type == Type::symbol_table) {
      const std::uint64_t tree = fields.number(8);
      TRY_ASSIGN(const Bytes heap, read_signed(fields.number(8), 32, "HEAP"));
      Hdf5Fields heap_fields(heap);
      heap_fields.skip(8);
      const std::uint64_t size = heap_fields.number(8);
      heap_fields.skip(8);
      TRY_ASSIGN(const Bytes names, read(heap_fields.number(8), size));
      TRY(read_tree(tree, k_deepest_tree, names, links));
    } else if (message.type == Type::link) {
      if (Hdf5Link link; !read_link(message.body, link))
        return malformed("has a damaged link");
      else if (link.address != k_nowhere)
        links.push_back(std::move(link));
    } else if (message.type == Type::link_info) {
      fields.skip(1);
      if ((fields.number(1) & 1) != 0) fields.skip(8);
      const std::uint64_t heap = fields.number(8);
      const std::uint64_t index = fields.number(8);
      if (!fields.is_good()) return malformed("has a damaged group");
      if (heap != k_nowhere) TRY(read_dense(heap, index, links));
    }
  }
  return links;
}

// A B-tree of version 1: keys and children by turns, of which the keys are not needed. `level`: more than the node's.
Result<void> Hdf5File::read_tree(std::uint64_t node, unsigned level, ByteView names, std::vector<Hdf5Link>& links) {
  TRY_ASSIGN(const Bytes head, read_signed(node, 24, "TREE"));
  Hdf5Fields fields(head);
  fields.skip(5);
  const auto own_level = static_cast<unsigned>(fields.number(1));
  if (own_level >= level) return malformed("has a tree of groups that does not end");
  const std::uint64_t count = fields.number(2);
  TRY_ASSIGN(const Bytes children, read(node + 24, count * 16));
  fields = Hdf5Fields(children);
  for (std::uint64_t i = 0; i < count; ++i) {
    fields.skip(8);
    const std::uint64_t child = fields.number(8);
    if (own_level == 0)
      TRY(read_symbols(child, names, links));
    else
      TRY(read_tree(child, own_level, names, links));
  }
  return {};
}

Result<void> Hdf5File::read_symbols(std::uint64_t node, ByteView names, std::vector<Hdf5Link>& links) {
  TRY_ASSIGN(const Bytes head, read_signed(node, 8, "SNOD"));
  Hdf5Fields fields(head);
  fields.skip(6);
  const std::uint64_t count = fields.number(2);
  TRY_ASSIGN(const Bytes symbols, read(node + 8, count * k_symbol_size));
  fields = Hdf5Fields(symbols);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t name = fields.number(8);
    const std::uint64_t address = fields.number(8);
    fields.skip(k_symbol_size - 16);
    if (address == k_nowhere) continue;  // a link by path
    const std::string_view rest = name < names.size() ? as_text(names.subspan(name)) : std::string_view();
    const std::size_t end = rest.find('\0');
    if (end == rest.npos) return malformed("has a name that does not end");
    TRY(take_account(end));  // many may be parts of one
    links.push_back({std::string(rest.substr(0, end)), address});
  }
  return {};
}

// Of a fractal heap what leads to the small objects in it: a table of blocks, whose first two rows have blocks of the
// first size, and each further row such as are twice as large.
struct Hdf5File::Heap {
  std::size_t offset_size = 0;  // of what an id says
  std::size_t length_size = 0;
  std::uint64_t width = 0;
  std::uint64_t first_size = 0;
  std::uint64_t largest_size = 0;
  std::uint64_t root = 0;
  std::uint64_t rows = 0;  // 0: the root is the only block
};

Result<Hdf5File::Heap> Hdf5File::open_heap(std::uint64_t address) {
  TRY_ASSIGN(const Bytes head, read_signed(address, 142, "FRHP"));
  Hdf5Fields fields(head);
  fields.skip(7);
  if (fields.number(2) != 0) return unsupported("groups that are compressed");
  fields.skip(1);
  const std::uint64_t largest_object = fields.number(4);
  fields.skip(96);
  Heap heap;
  heap.width = fields.number(2);
  heap.first_size = fields.number(8);
  heap.largest_size = fields.number(8);
  heap.offset_size = (fields.number(2) + 7) / 8;
  fields.skip(2);
  heap.root = fields.number(8);
  heap.rows = fields.number(2);
  heap.length_size = bytes_for(std::min(largest_object, heap.largest_size));
  const bool is_good = heap.width > 0 && heap.first_size > 0 && heap.first_size <= k_most_head &&
                       heap.largest_size <= k_most_head && heap.offset_size <= 8 && heap.rows <= 64;
  if (!is_good) return malformed("has a damaged heap");
  return heap;
}

Result<Bytes> Hdf5File::read_heap(const Heap& heap, ByteView id) {
  Hdf5Fields fields(id);
  if ((fields.number(1) & 0x30) != 0) return unsupported("links whose names are very long");
  const std::uint64_t offset = fields.number(heap.offset_size);
  const std::uint64_t length = fields.number(heap.length_size);
  if (!fields.is_good()) return malformed("has a damaged heap");
  if (heap.rows == 0) return read(heap.root + offset, length);
  std::uint64_t row_at = 0;
  std::uint64_t size = heap.first_size;
  for (std::uint64_t row = 0; row < heap.rows && size <= heap.largest_size; ++row) {
    if (row > 1) size *= 2;
    if (offset - row_at < size * heap.width) {
      const std::uint64_t column = (offset - row_at) / size;
      const std::uint64_t block_at = heap.root + 13 + heap.offset_size + (row * heap.width + column) * 8;
      TRY_ASSIGN(const Bytes block, read(block_at, 8));
      return read(Hdf5Fields(block).number(8) + (offset - row_at) % size, length);
    }
    row_at += size * heap.width;
  }
  return unsupported("groups of very many links");
}

// Links of a large group: messages in a heap, found by a B-tree of version 2 of a hash and an id in the heap each.
Result<void> Hdf5File::read_dense(std::uint64_t heap_at, std::uint64_t index, std::vector<Hdf5Link>& links) {
  TRY_ASSIGN(const Heap heap, open_heap(heap_at));
  TRY_ASSIGN(const Bytes head, read_signed(index, 34, "BTHD"));
  Hdf5Fields fields(head);
  fields.skip(5);
  if (fields.number(1) != k_link_index) return malformed("has a damaged group");
  const std::uint64_t node_size = fields.number(4);
  const std::uint64_t record_size = fields.number(2);
  const std::uint64_t depth = fields.number(2);
  fields.skip(2);
  const std::uint64_t root = fields.number(8);
  const std::uint64_t count = fields.number(2);
  if (record_size < 5 || node_size < 10 + record_size) return malformed("has a damaged group");
  if (depth > 1) return unsupported("groups of very many links");

  const auto read_records = [&](ByteView records) -> Result<void> {
    for (Hdf5Fields each(records); each.rest().size() >= record_size;) {
      TRY_ASSIGN(const Bytes body, read_heap(heap, each.bytes(record_size).subspan(4)));
      Hdf5Link link;
      if (!read_link(body, link)) return malformed("has a damaged link");
      if (link.address != k_nowhere) links.push_back(std::move(link));
    }
    return {};
  };
  const auto read_leaf = [&](std::uint64_t node, std::uint64_t records) -> Result<void> {
    TRY_ASSIGN(const Bytes leaf, read_signed(node, 6 + records * record_size, "BTLF"));
    return read_records(ByteView(leaf).subspan(6));
  };
  if (root == k_nowhere) return {};
  if (depth == 0) return read_leaf(root, count);
  const std::size_t count_size = bytes_for((node_size - 10) / record_size);
  TRY_ASSIGN(const Bytes node, read_signed(root, 6 + count * record_size + (count + 1) * (8 + count_size), "BTIN"));
  Hdf5Fields children(ByteView(node).subspan(6));
  TRY(read_records(children.bytes(count * record_size)));
  for (std::uint64_t i = 0; i <= count; ++i) {
    const std::uint64_t child = children.number(8);
    TRY(read_leaf(child, children.number(count_size)));
  }
  return {};
}

Result<std::string> Hdf5File::text(ByteView reference) {
  Hdf5Fields fields(reference);
  const std::uint64_t length = fields.number(4);
  const std::uint64_t heap = fields.number(8);
  const std::uint64_t index = fields.number(4);
  if (!fields.is_good()) return malformed("has a damaged attribute");
  if (length == 0) return std::string();
  TRY_ASSIGN(const Bytes head, read_signed(heap, 16, "GCOL"));
  TRY_ASSIGN(const Bytes objects,
             read(heap + 16, std::max<std::uint64_t>(Hdf5Fields(ByteView(head).subspan(8)).number(8), 16) - 16));
  for (Hdf5Fields each(objects); each.rest().size() >= 16;) {
    const bool is_it = each.number(2) == index;
    each.skip(6);
    const std::uint64_t size = each.number(8);
    const ByteView bytes = each.bytes(size);
    if (is_it && length <= bytes.size()) return std::string(as_text(bytes.first(length)));
    each.skip((8 - size % 8) % 8);
  }
  return malformed("has a damaged attribute");
}

}  // namespace studio::analysis
