// The index of a store with many chunks: how it grows, opens and is looked up in.
//
//   cmake --build --preset release --target bench_index
//   build/release/bench_index DIRECTORY [CHUNKS]
//
// DIRECTORY is made, filled with 50 bytes for each of 10,000,000 chunks, and left there. An index that is already in it
// is measured as it is, so that a second run can see it cold; each run adds 200,000 chunks.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "blob/local.hpp"
#include "content/chunk_index.hpp"
#include "os/fd.hpp"

namespace studio::content {
namespace {

constexpr std::uint64_t k_batch = 16'384;  // as many as a long capture adds at a time
constexpr std::uint64_t k_small_batch = 2'000;
constexpr std::uint64_t k_look_ups = 2'000'000;
constexpr std::uint64_t k_chunks_per_pack = 240;

template <class T>
T must(Result<T> result) {
  if (result) return std::move(*result);
  std::fprintf(stderr, "%s\n", result.error().message.c_str());
  std::exit(1);
}
void must(const Result<void>& result) {
  if (result) return;
  std::fprintf(stderr, "%s\n", result.error().message.c_str());
  std::exit(1);
}

std::uint64_t mix(std::uint64_t value) {  // SplitMix64
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

Digest digest_of(std::uint64_t number) {
  Digest digest;
  for (std::uint64_t i = 0; i < 4; ++i) {
    const std::uint64_t word = mix((4 * number + i + 1) * 0x9e3779b97f4a7c15);
    std::memcpy(digest.bytes.data() + 8 * i, &word, sizeof word);
  }
  return digest;
}

std::vector<IndexedChunk> chunks_from(std::uint64_t first, std::uint64_t count) {
  std::vector<IndexedChunk> chunks;
  chunks.reserve(count);
  for (std::uint64_t i = first; i < first + count; ++i) {
    const Digest pack = digest_of(~(i / k_chunks_per_pack));
    const auto place = static_cast<std::uint32_t>(i % k_chunks_per_pack);
    chunks.push_back({digest_of(i), {.pack = pack, .offset = place * 50'000, .stored_length = 50'000}});
  }
  return chunks;
}

double milliseconds(const auto& action) {
  const auto began = std::chrono::steady_clock::now();
  action();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count();
}

// Of /proc/self/status, in MiB.
double memory(const std::string& field) {
  const std::string status = os::read_proc("/proc/self/status");
  const std::size_t at = status.find(field + ":");
  return at == std::string::npos ? 0 : std::strtod(status.c_str() + at + field.size() + 1, nullptr) / 1024;
}
void report_memory(const char* when) {
  std::printf("memory %s: %.0f MiB of its own (peak with mapped files %.0f), %.0f MiB of mapped files\n", when,
              memory("RssAnon"), memory("VmHWM"), memory("RssFile"));
}

void report_times(const char* what, std::vector<double> times) {
  std::sort(times.begin(), times.end());
  std::printf(
      "%s: median %.1f ms, mean %.1f, 99 %% %.1f, most %.1f (%zu times)\n", what, times[times.size() / 2],
      [&] {
        double sum = 0;
        for (const double time : times) sum += time;
        return sum / static_cast<double>(times.size());
      }(),
      times[times.size() * 99 / 100], times.back(), times.size());
}

void fill(blob::Store& store, std::uint64_t count) {
  ChunkIndex index(store, {});
  std::vector<double> times;
  double memory_most = 0;
  for (std::uint64_t first = 0; first < count; first += k_batch) {
    auto chunks = chunks_from(first, std::min(k_batch, count - first));
    times.push_back(milliseconds([&] { must(index.add(std::move(chunks))); }));
    memory_most = std::max(memory_most, memory("RssAnon"));
  }
  report_times("adding 16,384 chunks while it grows", times);
  std::printf("memory of its own while it grows: at most %.0f MiB after an addition\n", memory_most);
}

void look_up(ChunkIndex& index, const char* what, std::uint64_t first, std::uint64_t count, unsigned threads) {
  const double took = milliseconds([&] {
    std::vector<std::jthread> workers;
    for (unsigned thread = 0; thread < threads; ++thread)
      workers.emplace_back([&, thread] {
        std::uint64_t state = thread;
        for (std::uint64_t i = 0; i < k_look_ups / threads; ++i) {
          state += 0x9e3779b97f4a7c15;
          must(index.find(digest_of(first + mix(state) % count)));
        }
      });
  });
  std::printf("look-ups of %s chunks, %u thread%s: %.2f million/s (%.2f us each)\n", what, threads,
              threads == 1 ? "" : "s", static_cast<double>(k_look_ups) / took / 1000,
              took * 1000 * threads / static_cast<double>(k_look_ups));
}

void measure(blob::Store& store, std::uint64_t count) {
  ChunkIndex index(store, [](const std::string& notice) { std::printf("notice: %s\n", notice.c_str()); });
  std::printf("opening and a first look-up: %.2f ms\n", milliseconds([&] { must(index.find(digest_of(count))); }));
  report_memory("when it is open");
  std::uint64_t objects = 0;
  std::uint64_t bytes = 0;
  must(store.list(k_index_prefix, [&](const blob::ObjectInfo& info) -> Result<void> {
    ++objects;
    bytes += info.size;
    return {};
  }));
  std::printf("%llu index objects, %.1f MB\n", static_cast<unsigned long long>(objects),
              static_cast<double>(bytes) / 1e6);
  for (int round = 0; round < 2; ++round)
    for (const unsigned threads : {1u, 2u}) {
      look_up(index, "unknown", std::uint64_t{1} << 40, std::uint64_t{1} << 40, threads);
      look_up(index, "known", 0, count, threads);
    }
  report_memory("after the look-ups");
  std::uint64_t visited = 0;
  const double took = milliseconds([&] {
    must(index.for_each([&](const IndexedChunk&) -> Result<void> {
      ++visited;
      return {};
    }));
  });
  std::printf("visiting %llu chunks in order: %.0f ms\n", static_cast<unsigned long long>(visited), took);
  report_memory("after the visit");
}

void add_small(blob::Store& store) {
  const std::uint64_t first = (std::uint64_t{1} << 50) + static_cast<std::uint64_t>(::time(nullptr)) * 1'000'000;
  std::vector<double> opened;
  std::vector<double> times;
  for (std::uint64_t i = 0; i < 100; ++i) {
    auto chunks = chunks_from(first + i * k_small_batch, k_small_batch);
    ChunkIndex index(store, {});  // another process each time
    opened.push_back(milliseconds([&] { must(index.find(chunks[0].digest)); }));
    times.push_back(milliseconds([&] { must(index.add(std::move(chunks))); }));
  }
  report_times("opening, each time anew", opened);
  report_times("adding 2,000 chunks", times);
  report_memory("after it");
}

int run(const std::string& directory, std::uint64_t count) {
  const auto store = must(blob::LocalStore::open({directory}));
  bool is_there = false;
  must(store->list(k_index_prefix, [&](const blob::ObjectInfo&) -> Result<void> {
    is_there = true;
    return {};
  }));
  if (!is_there) fill(*store, count);
  measure(*store, count);
  add_small(*store);
  return 0;
}

}  // namespace
}  // namespace studio::content

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: bench_index DIRECTORY [CHUNKS]\n");
    return 2;
  }
  return studio::content::run(argv[1], argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 10'000'000);
}
