#include "content/deflate.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <span>

namespace studio::content {

// Words are loaded and stored as they lie in memory.
static_assert(std::endian::native == std::endian::little);

namespace {

// A block has codes of its own: short enough to follow the data, long enough to pay for their description. A stored
// block holds at most 65535 bytes.
constexpr std::size_t k_block = 48 * 1024;
constexpr std::size_t k_stored_header = 5;  // at most

constexpr std::size_t k_least_match = 4;  // the format has 3, which rarely pays
constexpr std::size_t k_most_match = 258;
constexpr unsigned k_most_distance = 32768;

constexpr std::size_t k_literal_symbols = 286;
constexpr std::size_t k_end_of_block = 256;
constexpr std::size_t k_first_length = 257;
constexpr std::size_t k_distance_symbols = 30;
constexpr std::size_t k_length_symbols = 19;  // of the code for the lengths of the other two codes
// The format allows 15 for literals; with 14 four of them fit in a word beside up to 7 bits that wait.
constexpr unsigned k_literal_limit = 14;
constexpr unsigned k_distance_limit = 15;
constexpr unsigned k_length_limit = 7;

std::uint32_t load_32(const std::byte* bytes) {
  std::uint32_t word = 0;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

std::uint64_t load_64(const std::byte* bytes) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

// How many bytes are the same, up to `limit`, of which all may be read from both.
std::size_t common_length(const std::byte* a, const std::byte* b, std::size_t limit) {
  std::size_t length = 0;
  for (; length + 8 <= limit; length += 8) {
    const std::uint64_t difference = load_64(a + length) ^ load_64(b + length);
    if (difference != 0) return length + static_cast<std::size_t>(std::countr_zero(difference)) / 8;
  }
  while (length < limit && a[length] == b[length]) ++length;
  return length;
}

// A symbol and the bits that follow it to say which value of its range is meant.
struct Symbol {
  std::uint16_t symbol;
  std::uint16_t extra_bits;
  std::uint16_t extra;
};

// RFC 1951, 3.2.5. Ranges double every `steps` symbols: 4 for lengths, 2 for distances.
template <unsigned Steps>
constexpr Symbol symbol_of(unsigned value) {
  if (value < 2 * Steps) return {static_cast<std::uint16_t>(value), 0, 0};
  constexpr unsigned k_step_bits = std::bit_width(Steps) - 1;
  const unsigned extra_bits = static_cast<unsigned>(std::bit_width(value)) - 1 - k_step_bits;
  return {static_cast<std::uint16_t>(Steps * extra_bits + (value >> extra_bits)),
          static_cast<std::uint16_t>(extra_bits), static_cast<std::uint16_t>(value & ((1u << extra_bits) - 1))};
}

constexpr auto k_lengths = [] {
  std::array<Symbol, k_most_match + 1> symbols{};
  for (unsigned length = 3; length < k_most_match; ++length) symbols[length] = symbol_of<4>(length - 3);
  symbols[k_most_match] = {28, 0, 0};
  for (Symbol& symbol : symbols) symbol.symbol = static_cast<std::uint16_t>(symbol.symbol + k_first_length);
  return symbols;
}();

Symbol symbol_of_distance(unsigned distance) { return symbol_of<2>(distance - 1); }

struct CodeWord {
  std::uint16_t bits = 0;  // the first bit lowest
  std::uint16_t length = 0;
};

// A prefix code for how often each symbol occurs. Always complete, with two words at least: some decoders want that.
template <std::size_t Symbols, unsigned Limit>
class PrefixCode {
 public:
  void count(std::size_t symbol) { ++counts_[symbol]; }
  void count_literals(ByteView literals);
  void make();

  const CodeWord& operator[](std::size_t symbol) const { return words_[symbol]; }
  // Of all that was counted.
  std::uint64_t bits() const {
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < Symbols; ++i) bits += std::uint64_t{counts_[i]} * words_[i].length;
    return bits;
  }
  // Without those at the end that have no word.
  std::size_t size() const {
    std::size_t size = Symbols;
    while (words_[size - 1].length == 0) --size;
    return size;
  }

 private:
  void assign_lengths();
  void assign_bits();

  std::array<std::uint32_t, Symbols> counts_{};
  std::array<CodeWord, Symbols> words_{};
};

template <std::size_t Symbols, unsigned Limit>
void PrefixCode<Symbols, Limit>::count_literals(ByteView literals) {
  // Four tables, since adding to what was just added to has to wait for it.
  std::array<std::array<std::uint32_t, 256>, 3> others;
  std::size_t i = 0;
  if (literals.size() >= 1024) {
    for (auto& other : others) other.fill(0);
    for (; i + 4 <= literals.size(); i += 4) {
      const std::uint32_t word = load_32(&literals[i]);
      ++counts_[word & 255];
      ++others[0][word >> 8 & 255];
      ++others[1][word >> 16 & 255];
      ++others[2][word >> 24];
    }
    for (const auto& other : others)
      for (std::size_t symbol = 0; symbol < other.size(); ++symbol) counts_[symbol] += other[symbol];
  }
  for (; i < literals.size(); ++i) count(std::to_integer<std::size_t>(literals[i]));
}

template <std::size_t Symbols, unsigned Limit>
void PrefixCode<Symbols, Limit>::make() {
  assign_lengths();
  assign_bits();
}

// Huffman's algorithm; where it makes words longer than the limit, other words give way.
template <std::size_t Symbols, unsigned Limit>
void PrefixCode<Symbols, Limit>::assign_lengths() {
  struct Node {
    std::uint32_t count;
    std::uint16_t symbol;
    std::uint16_t parent;
  };
  // First the symbols, the rarest first, then the inner nodes of the tree, which come about in the same order.
  std::array<Node, 2 * Symbols> nodes;
  std::size_t symbols = 0;
  for (std::size_t i = 0; i < Symbols; ++i)
    if (counts_[i] > 0) nodes[symbols++] = {counts_[i], static_cast<std::uint16_t>(i), 0};
  if (symbols < 2) {
    const std::size_t other = symbols == 1 && nodes[0].symbol == 0 ? 1 : 0;
    words_[other].length = 1;
    words_[symbols == 1 ? nodes[0].symbol : 1].length = 1;
    return;
  }
  std::sort(nodes.begin(), nodes.begin() + static_cast<std::ptrdiff_t>(symbols),
            [](const Node& a, const Node& b) { return a.count != b.count ? a.count < b.count : a.symbol < b.symbol; });
  const std::size_t root = 2 * symbols - 2;
  std::size_t next_symbol = 0;
  std::size_t next_inner = symbols;
  for (std::size_t node = symbols; node <= root; ++node) {
    nodes[node].count = 0;
    for (int child = 0; child < 2; ++child) {
      const bool is_symbol =
          next_symbol < symbols && (next_inner == node || nodes[next_symbol].count <= nodes[next_inner].count);
      Node& rarest = nodes[is_symbol ? next_symbol++ : next_inner++];
      rarest.parent = static_cast<std::uint16_t>(node);
      nodes[node].count += rarest.count;
    }
  }
  // From here on `count` of a node is its depth.
  nodes[root].count = 0;
  std::array<std::uint32_t, Limit + 1> of_length{};
  std::uint32_t used = 0;  // of the 2^Limit words of the greatest length, those that begin with a word of the code
  for (std::size_t node = root; node-- > 0;) {
    nodes[node].count = nodes[nodes[node].parent].count + 1;
    if (node >= symbols) continue;
    const std::uint32_t length = std::min(nodes[node].count, Limit);
    ++of_length[length];
    used += 1u << (Limit - length);
  }
  // A word of the greatest length and one that is shorter get two words that are one bit longer than the shorter.
  for (; used > 1u << Limit; --used) {
    unsigned shorter = Limit - 1;
    while (of_length[shorter] == 0) --shorter;
    --of_length[Limit];
    --of_length[shorter];
    of_length[shorter + 1] += 2;
  }
  std::size_t node = 0;
  for (unsigned length = Limit; length > 0; --length)
    for (std::uint32_t i = 0; i < of_length[length]; ++i)
      words_[nodes[node++].symbol].length = static_cast<std::uint16_t>(length);
}

// RFC 1951, 3.2.2.
template <std::size_t Symbols, unsigned Limit>
void PrefixCode<Symbols, Limit>::assign_bits() {
  std::array<std::uint32_t, Limit + 2> next{};
  for (const CodeWord& word : words_)
    if (word.length > 0) ++next[word.length + 1u];
  for (std::size_t length = 2; length < next.size(); ++length) next[length] = (next[length] + next[length - 1]) << 1;
  for (CodeWord& word : words_) {
    if (word.length == 0) continue;
    std::uint32_t value = next[word.length]++;
    for (unsigned i = 0; i < word.length; ++i, value >>= 1)
      word.bits = static_cast<std::uint16_t>(unsigned{word.bits} << 1 | (value & 1));
  }
}

// Writes bits, the lowest of a byte first. Up to 7 wait; at most 63 may before flush(). Each flush() stores a whole
// word: there must be room for 8 bytes more than are written.
class BitWriter {
 public:
  explicit BitWriter(std::byte* to) : next_(to) {}

  void put(std::uint64_t value, unsigned count) {
    bits_ |= value << count_;
    count_ += count;
  }
  void put(const CodeWord& word) { put(word.bits, word.length); }
  void put_extra(const Symbol& symbol) { put(symbol.extra, symbol.extra_bits); }
  void flush() {
    std::memcpy(next_, &bits_, sizeof bits_);
    next_ += count_ / 8;
    bits_ >>= count_ / 8 * 8;
    count_ %= 8;
  }
  // A stored block, RFC 1951, 3.2.4.
  void put_stored(ByteView bytes) {
    constexpr unsigned k_header = 3;  // not the last, stored: zeros
    count_ = (count_ + k_header + 7) / 8 * 8;
    put(bytes.size(), 16);
    put(~bytes.size() & 0xffff, 16);
    flush();
    if (!bytes.empty()) std::memcpy(next_, bytes.data(), bytes.size());
    next_ += bytes.size();
  }
  bool is_at_byte() const { return count_ == 0; }
  const std::byte* end() const { return next_; }

 private:
  std::byte* next_;
  std::uint64_t bits_ = 0;
  unsigned count_ = 0;
};

}  // namespace

// The codes of one block, and how it is written with them (RFC 1951, 3.2.7).
class DeflateEncoder::Block {
 public:
  Block(ByteView bytes, const std::vector<Sequence>& sequences) : bytes_(bytes), sequences_(sequences) {
    std::size_t at = 0;
    for (const Sequence& sequence : sequences) {
      literals_.count_literals(bytes.subspan(at, sequence.literals));
      at += sequence.literals + sequence.length;
      if (sequence.length == 0) continue;
      const Symbol& length = k_lengths[sequence.length];
      const Symbol distance = symbol_of_distance(sequence.distance);
      literals_.count(length.symbol);
      distances_.count(distance.symbol);
      extra_bits_ += length.extra_bits + distance.extra_bits;
    }
    literals_.count(k_end_of_block);
    literals_.make();
    distances_.make();
    describe_codes();
  }

  std::uint64_t bits() const {
    return k_header_bits + 3 * described_ + lengths_.bits() + literals_.bits() + distances_.bits() + extra_bits_;
  }

  void write(BitWriter& writer) const {
    constexpr unsigned k_dynamic = 2;
    writer.put(k_dynamic << 1, 3);
    writer.put(literals_.size() - 257, 5);
    writer.put(distances_.size() - 1, 5);
    writer.put(described_ - 4, 4);
    writer.flush();
    for (std::size_t i = 0; i < described_; ++i) {
      writer.put(lengths_[k_length_order[i]].length, 3);
      writer.flush();
    }
    for (std::size_t i = 0; i < description_size_; ++i) {
      writer.put(lengths_[description_[i].symbol]);
      writer.put_extra(description_[i]);
      writer.flush();
    }
    const std::byte* next = bytes_.data();
    for (const Sequence& sequence : sequences_) {
      const std::byte* const end = next + sequence.literals;
      for (; end - next >= 4; next += 4) {
        const std::uint32_t word = load_32(next);
        writer.put(literals_[word & 255]);
        writer.put(literals_[word >> 8 & 255]);
        writer.put(literals_[word >> 16 & 255]);
        writer.put(literals_[word >> 24]);
        writer.flush();
      }
      for (; next != end; ++next) writer.put(literals_[std::to_integer<std::size_t>(*next)]);
      writer.flush();
      if (sequence.length == 0) continue;
      const Symbol& length = k_lengths[sequence.length];
      const Symbol distance = symbol_of_distance(sequence.distance);
      writer.put(literals_[length.symbol]);
      writer.put_extra(length);
      writer.put(distances_[distance.symbol]);
      writer.put_extra(distance);
      writer.flush();
      next += sequence.length;
    }
    writer.put(literals_[k_end_of_block]);
    writer.flush();
  }

 private:
  static constexpr unsigned k_header_bits = 3 + 5 + 5 + 4;
  static constexpr std::array<std::uint8_t, k_length_symbols> k_length_order{16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                                                             11, 4,  12, 3, 13, 2, 14, 1, 15};

  void describe(Symbol symbol) {
    description_[description_size_++] = symbol;
    lengths_.count(symbol.symbol);
    extra_bits_ += symbol.extra_bits;
  }

  // The lengths of the words of both codes as one list, in which runs are short.
  void describe_codes() {
    std::array<std::uint16_t, k_literal_symbols + k_distance_symbols> list{};
    std::size_t size = 0;
    for (std::size_t i = 0; i < literals_.size(); ++i) list[size++] = literals_[i].length;
    for (std::size_t i = 0; i < distances_.size(); ++i) list[size++] = distances_[i].length;
    for (std::size_t i = 0; i < size;) {
      const std::uint16_t length = list[i];
      std::size_t end = i + 1;
      while (end < size && list[end] == length) ++end;
      // Zeros by the number, others as "the last one again".
      if (length != 0) describe({list[i++], 0, 0});
      const std::size_t most = length == 0 ? 138 : 6;
      while (end - i >= 3) {
        const std::size_t run = std::min(end - i, most);
        if (length != 0) {
          describe({16, 2, static_cast<std::uint16_t>(run - 3)});
        } else if (run <= 10) {
          describe({17, 3, static_cast<std::uint16_t>(run - 3)});
        } else {
          describe({18, 7, static_cast<std::uint16_t>(run - 11)});
        }
        i += run;
      }
      for (; i < end; ++i) describe({length, 0, 0});
    }
    lengths_.make();
    described_ = k_length_symbols;
    while (described_ > 4 && lengths_[k_length_order[described_ - 1]].length == 0) --described_;
  }

  ByteView bytes_;
  const std::vector<Sequence>& sequences_;
  PrefixCode<k_literal_symbols, k_literal_limit> literals_;
  PrefixCode<k_distance_symbols, k_distance_limit> distances_;
  PrefixCode<k_length_symbols, k_length_limit> lengths_;
  std::array<Symbol, k_literal_symbols + k_distance_symbols> description_;
  std::size_t description_size_ = 0;
  std::size_t described_ = 0;  // words of `lengths_` that are described
  std::uint64_t extra_bits_ = 0;
};

DeflateEncoder::DeflateEncoder() { sequences_.reserve(k_block / k_least_match + 1); }

// Takes the last place where the same four bytes were seen, if it is near enough, and looks no further.
void DeflateEncoder::find_sequences(ByteView input, std::size_t begin, std::size_t end) {
  constexpr std::size_t k_most_step = 32;
  const std::byte* const data = input.data();
  const auto place_of = [this](std::uint32_t word) -> std::uint16_t& {
    return positions_[word * 0x9e3779b1u >> (32 - k_hash_bits)];
  };
  sequences_.clear();
  std::size_t literals = begin;  // where they begin
  std::size_t at = begin;
  while (at + k_least_match <= end) {
    const std::uint32_t word = load_32(data + at);
    std::uint16_t& place = place_of(word);
    // A position of long ago looks like a near one: whatever it is, the bytes there are compared.
    const unsigned distance = static_cast<std::uint16_t>(at - place);
    place = static_cast<std::uint16_t>(at);
    if (distance - 1 >= k_most_distance || distance > at || load_32(data + at - distance) != word) {
      // The longer nothing is found the larger the steps: data without copies costs little.
      at += std::min(1 + (at - literals) / 64, k_most_step);
      continue;
    }
    std::size_t length = common_length(data + at, data + at - distance, std::min(k_most_match, end - at));
    while (at > literals && at > distance && length < k_most_match && data[at - 1] == data[at - distance - 1]) {
      --at;
      ++length;
    }
    sequences_.push_back({static_cast<std::uint32_t>(at - literals), static_cast<std::uint16_t>(length),
                          static_cast<std::uint16_t>(distance)});
    literals = at + length;
    // Every second position of a copy: text gets 2 % smaller for 4 % of the time.
    for (at += 1; at < literals && at + k_least_match <= end; at += 2)
      place_of(load_32(data + at)) = static_cast<std::uint16_t>(at);
    at = literals;
  }
  sequences_.push_back({static_cast<std::uint32_t>(end - literals), 0, 0});
}

void DeflateEncoder::encode(ByteView input, Bytes& output) {
  constexpr std::size_t k_beyond = 8;  // BitWriter stores words
  output.resize(input.size() + (input.size() / k_block + 2) * k_stored_header + k_beyond);
  BitWriter writer(output.data());
  positions_.fill(0);
  for (std::size_t begin = 0; begin < input.size(); begin += k_block) {
    const std::size_t end = std::min(begin + k_block, input.size());
    find_sequences(input, begin, end);
    const ByteView bytes = input.subspan(begin, end - begin);
    const Block block(bytes, sequences_);
    if (block.bits() < 8 * bytes.size()) {
      block.write(writer);
    } else {
      writer.put_stored(bytes);
    }
  }
  if (!writer.is_at_byte()) writer.put_stored({});
  output.resize(static_cast<std::size_t>(writer.end() - output.data()));
}

}  // namespace studio::content
