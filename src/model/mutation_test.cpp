// Robustness of the readers of stored JSON: whatever the bytes, no crash, and nothing accepted that is not written back
// the same.
#include <gtest/gtest.h>

#include "model/json_fields.hpp"
#include "model/random_records.hpp"

namespace studio::model {
namespace {

using nlohmann::json;

constexpr int k_rounds = 4000;

class Mutator {
 public:
  explicit Mutator(std::uint64_t seed) : random_(seed) {}

  std::string mutate_text(std::string text) {
    for (std::uint64_t left = 1 + random_.below(4); left > 0 && !text.empty(); --left) mutate_once(text);
    return text;
  }

  // Replaces, removes or copies one value somewhere in the document.
  json mutate_document(json document) {
    json* place = &document;
    while (place->is_structured() && !place->empty() && random_.below(4) != 0)
      place = &*std::next(place->begin(), static_cast<std::ptrdiff_t>(random_.below(place->size())));
    const json scalars[] = {json(),
                            json(false),
                            json(0),
                            json(-1),
                            json(1.5),
                            json(-1e300),
                            json(std::uint64_t{UINT64_MAX}),
                            json(std::int64_t{INT64_MIN}),
                            json(""),
                            json("v"),
                            json("2026-11-24T05:30:00.000000000Z"),
                            json("2262-11-24T05:30:00.000000000Z"),
                            json::array(),
                            json::object(),
                            json::object({{"hex", "00ff"}}),
                            json::object({{"hex", json::array()}}),
                            document};
    *place = scalars[random_.below(std::size(scalars))];
    return document;
  }

 private:
  void mutate_once(std::string& text) {
    static constexpr std::string_view k_pieces[] = {
        "\"",    "{",      "}",  "[",       "]",    ",",    ":",  "null",        "-",
        "1e308", "1e-400", "\\", "\\ud800", "\xff", "true", "0x", "{\"hex\":\"", "9223372036854775808"};
    const std::size_t at = random_.below(text.size());
    const std::size_t length = 1 + random_.below(8);
    switch (random_.below(5)) {
      case 0: text[at] = static_cast<char>(random_.below(256)); break;
      case 1: text[at] = static_cast<char>(text[at] ^ (1 << random_.below(8))); break;
      case 2: text.erase(at, length); break;
      case 3: text.insert(at, k_pieces[random_.below(std::size(k_pieces))]); break;
      default: text.insert(at, text.substr(random_.below(text.size()), length)); break;
    }
  }

  RandomRecords random_;
};

template <class Read>
bool accepted_only_if_it_round_trips(const json& document, Read read) {
  const auto value = read(document);
  if (!value) {
    EXPECT_TRUE(value.error().code == Code::corrupt || value.error().code == Code::unsupported)
        << value.error().message;
    EXPECT_FALSE(value.error().message.empty());
    return false;
  }
  const auto written = parse_json(to_json(*value).dump());
  EXPECT_TRUE(written.has_value()) << document;
  const auto again = read(*written);
  EXPECT_TRUE(again.has_value() && *again == *value) << document;
  return true;
}

template <class Make, class Read>
void survive_mutations(std::uint64_t seed, Make make, Read read) {
  RandomRecords random(seed);
  Mutator mutator(seed + 1);
  int accepted = 0;
  for (int round = 0; round < k_rounds && !testing::Test::HasFailure(); ++round) {
    const json document = to_json(make(random));
    accepted += accepted_only_if_it_round_trips(mutator.mutate_document(document), read);
    const auto parsed = parse_json(mutator.mutate_text(document.dump()));
    if (parsed) accepted += accepted_only_if_it_round_trips(*parsed, read);
  }
  EXPECT_GT(accepted, k_rounds / 100) << "the mutations are so coarse that they test nothing";
  EXPECT_LT(accepted, 2 * k_rounds) << "the mutations change nothing";
}

TEST(Mutation, OfVersionManifests) {
  survive_mutations(
      11, [](RandomRecords& random) { return random.version(); }, version_from_json);
}

TEST(Mutation, OfExperimentRecords) {
  survive_mutations(
      12, [](RandomRecords& random) { return random.experiment(); }, experiment_from_json);
}

}  // namespace
}  // namespace studio::model
