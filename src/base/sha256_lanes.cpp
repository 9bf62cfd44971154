#include "base/sha256_lanes.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <vector>

#include "base/sha256_kernel.hpp"

namespace studio {

namespace {

using namespace sha256;

template <std::size_t lanes, void (*compress)(const LaneData<lanes>&, std::size_t, State<lanes>&)>
class LaneHasher {
 public:
  LaneHasher(std::span<const ByteView> runs, std::span<Digest> digests) : runs_(runs), digests_(digests) {
    // The longest first: so the lanes end at about the same time.
    order_.resize(runs.size());
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    std::sort(order_.begin(), order_.end(),
              [&](std::size_t a, std::size_t b) { return runs[a].size() > runs[b].size(); });
  }

  void hash() {
    for (std::size_t i = 0; i < lanes; ++i) begin_next(i);
    while (active_ > 0) {
      std::size_t steps = SIZE_MAX;
      const std::byte* some = nullptr;
      for (const Lane& lane : lanes_) {
        if (lane.blocks == 0) continue;
        steps = std::min(steps, lane.blocks);
        some = lane.data;
      }
      LaneData<lanes> data;
      // An idle lane reads what another one reads; nobody looks at its state.
      for (std::size_t i = 0; i < lanes; ++i) data[i] = lanes_[i].blocks > 0 ? lanes_[i].data : some;
      // `some` has at least `steps` blocks, as all that are active do.
      compress(data, steps, state_);
      for (std::size_t i = 0; i < lanes; ++i) advance(i, steps);
    }
  }

 private:
  struct Lane {
    const std::byte* data = nullptr;
    std::size_t blocks = 0;       // left of `data`; 0: the lane is idle
    std::size_t tail_blocks = 0;  // to follow
    std::size_t run = 0;
    std::array<std::byte, 2 * k_block> tail;  // what is left of the run, and the padding
  };

  void begin_next(std::size_t i) {
    Lane& lane = lanes_[i];
    if (next_ == order_.size()) return;
    lane.run = order_[next_++];
    ++active_;
    const ByteView run = runs_[lane.run];
    const std::size_t rest = run.size() % k_block;
    lane.tail.fill(std::byte{0});
    std::copy(run.end() - static_cast<std::ptrdiff_t>(rest), run.end(), lane.tail.begin());
    lane.tail[rest] = std::byte{0x80};
    lane.tail_blocks = rest + 9 <= k_block ? 1 : 2;
    const std::uint64_t bits = __builtin_bswap64(std::uint64_t{run.size()} * 8);
    std::memcpy(lane.tail.data() + lane.tail_blocks * k_block - sizeof bits, &bits, sizeof bits);
    for (std::size_t word = 0; word < 8; ++word) state_.word[word][i] = k_initial[word];
    lane.data = run.data();
    lane.blocks = run.size() / k_block;
    if (lane.blocks == 0) begin_tail(lane);
  }

  static void begin_tail(Lane& lane) {
    lane.data = lane.tail.data();
    lane.blocks = lane.tail_blocks;
    lane.tail_blocks = 0;
  }

  void advance(std::size_t i, std::size_t steps) {
    Lane& lane = lanes_[i];
    if (lane.blocks == 0) return;
    lane.data += steps * k_block;
    lane.blocks -= steps;
    if (lane.blocks > 0) return;
    if (lane.tail_blocks > 0) return begin_tail(lane);
    for (std::size_t word = 0; word < 8; ++word) {
      const std::uint32_t value = __builtin_bswap32(state_.word[word][i]);
      std::memcpy(digests_[lane.run].bytes.data() + word * sizeof value, &value, sizeof value);
    }
    --active_;
    begin_next(i);
  }

  std::span<const ByteView> runs_;
  std::span<Digest> digests_;
  std::vector<std::size_t> order_;
  std::size_t next_ = 0;
  std::size_t active_ = 0;
  std::array<Lane, lanes> lanes_;
  State<lanes> state_{};
};

template <std::size_t lanes, void (*compress)(const LaneData<lanes>&, std::size_t, State<lanes>&)>
void hash(std::span<const ByteView> runs, std::span<Digest> digests) {
  LaneHasher<lanes, compress>(runs, digests).hash();
}

}  // namespace

const Sha256Lanes k_sha256_avx512{16, has_avx512, hash<16, compress_avx512>};
const Sha256Lanes k_sha256_instructions{2, has_instructions, hash<2, compress_instructions>};

}  // namespace studio
