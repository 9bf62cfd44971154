#include "server/experiment_query.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "base/letters.hpp"

namespace studio::server {

namespace {

using Row = ExperimentRows::Row;
using Id = ExperimentRows::Id;
using Found = std::vector<const Row*>;

constexpr std::size_t k_most_metrics = 20;
constexpr std::size_t k_most_parameters = 50;
constexpr std::size_t k_states = static_cast<std::size_t>(model::State::lost) + 1;

struct SortName {
  std::string_view name;
  SortKey key;
};
constexpr std::array k_sort_names{SortName{"created", SortKey::created},  SortName{"key", SortKey::key},
                                  SortName{"project", SortKey::project},  SortName{"owner", SortKey::owner},
                                  SortName{"status", SortKey::status},    SortName{"started", SortKey::started},
                                  SortName{"duration", SortKey::duration}};
// Before a name.
constexpr std::array k_sort_prefixes{SortName{"metric:", SortKey::metric}, SortName{"parameter:", SortKey::parameter}};

// Tells of row after row whether it matches. What rows have in common is looked at once.
class Matcher {
 public:
  Matcher(const ExperimentRows& rows, const ExperimentQuery& query) : rows_(rows), query_(query) {
    for (const model::State state : query.states) states_.at(static_cast<std::size_t>(state)) = true;
    if (query.states.empty()) states_.fill(true);
    if (query.project) project_ = rows.texts().find(*query.project);
    for (const std::string& word : query.words) {
      const std::string small = lower(word);
      words_.push_back({rows.keys().containing(small), rows.texts().containing(small)});
    }
  }

  bool matches(const Row& row, Id id) {
    if (!row.experiment || row.is_deleted != query_.deleted) return false;
    if (!states_.at(static_cast<std::size_t>(row.state))) return false;
    if (query_.project && row.project != project_) return false;
    if (query_.key_prefix && !rows_.keys()[id].starts_with(*query_.key_prefix)) return false;
    for (const Word& word : words_)
      if (!has(row, id, word)) return false;
    return !query_.visible || is_visible(row);
  }

 private:
  struct Word {
    std::vector<bool> keys;
    std::vector<bool> texts;
  };

  bool has(const Row& row, Id id, const Word& word) const {
    return word.keys[id] || word.texts[row.project] || word.texts[row.owner] ||
           std::ranges::any_of(rows_.words(row), [&](Id text) { return word.texts[text]; });
  }

  bool is_visible(const Row& row) {
    const auto [known, is_new] = visible_.try_emplace(std::uint64_t{row.project} << 32 | row.owner);
    if (is_new) known->second = query_.visible(*row.experiment);
    return known->second;
  }

  const ExperimentRows& rows_;
  const ExperimentQuery& query_;
  std::array<bool, k_states> states_{};
  std::optional<Id> project_;
  std::vector<Word> words_;
  std::unordered_map<std::uint64_t, bool> visible_;  // by project and owner
};

// Numbers as unsigned ones in the same order.
std::uint64_t ordered(std::int64_t number) { return static_cast<std::uint64_t>(number) ^ (std::uint64_t{1} << 63); }
std::uint64_t ordered(WallTime time) { return ordered(std::int64_t{time.time_since_epoch().count()}); }
std::uint64_t ordered(double number) {
  const auto bits = std::bit_cast<std::uint64_t>(number + 0.0);  // -0 as 0
  constexpr std::uint64_t k_sign = std::uint64_t{1} << 63;
  return (bits & k_sign) != 0 ? ~bits : bits | k_sign;
}

// What a row is sorted by: small, so that sorting moves and looks at nothing else.
struct Place {
  std::uint64_t first;   // the column
  std::uint32_t second;  // the key
  std::uint32_t at;      // in what was found
  bool operator<(const Place& other) const { return std::tie(first, second) < std::tie(other.first, other.second); }
};
// Behind all numbers in either direction: no ordered(double) but that of a NaN, nor its complement, is as great.
constexpr std::uint64_t k_after_numbers = std::uint64_t{0xfff1} << 48;
constexpr std::uint64_t k_last = std::numeric_limits<std::uint64_t>::max();

class Sorter {
 public:
  Sorter(const ExperimentRows& rows, const Found& found, const Sort& sort, WallTime now)
      : rows_(rows), found_(found), sort_(sort), now_(now), name_(rows.names().find(sort.name)) {
    for (std::size_t state = 0; state < k_states; ++state) state_ranks_.at(state) = rank_of(name_of(state));
  }

  std::vector<Place> places() {
    if (sort_.key == SortKey::project) rank([](const Row& row) { return std::optional(row.project); });
    if (sort_.key == SortKey::owner) rank([](const Row& row) { return std::optional(row.owner); });
    if (sort_.key == SortKey::parameter)
      rank([this](const Row& row) {
        const auto* const parameter = parameter_of(row);
        return parameter != nullptr && std::isnan(parameter->number) ? std::optional(parameter->value) : std::nullopt;
      });
    std::vector<Place> places;
    places.reserve(found_.size());
    for (std::uint32_t at = 0; at < found_.size(); ++at)
      places.push_back({first_of(*found_[at]), found_[at]->place, at});
    return places;
  }

 private:
  std::uint64_t directed(std::uint64_t order) const { return sort_.is_descending ? ~order : order; }

  std::uint64_t first_of(const Row& row) const {
    switch (sort_.key) {
      case SortKey::created: return directed(ordered(row.created));
      case SortKey::key: return directed(row.place);
      case SortKey::project: return ranks_[row.project];
      case SortKey::owner: return ranks_[row.owner];
      case SortKey::status: return directed(state_ranks_.at(static_cast<std::size_t>(row.state)));
      case SortKey::started: return directed(ordered(row.started));
      case SortKey::duration: return directed(ordered(std::int64_t{(row.ended.value_or(now_) - row.started).count()}));
      case SortKey::metric:
        for (const auto& [name, value] : rows_.metrics(row))
          if (name == name_) return std::isnan(value) ? k_last : directed(ordered(value));
        return k_last;
      case SortKey::parameter: break;
    }
    const auto* const parameter = parameter_of(row);
    if (parameter == nullptr) return k_last;
    if (std::isnan(parameter->number)) return k_after_numbers + ranks_[parameter->value];
    return directed(ordered(parameter->number));
  }

  const ExperimentRows::Parameter* parameter_of(const Row& row) const {
    for (const auto& parameter : rows_.parameters(row))
      if (parameter.name == name_) return &parameter;
    return nullptr;
  }

  static std::string_view name_of(std::size_t state) { return model::name_of(static_cast<model::State>(state)); }
  static std::uint64_t rank_of(std::string_view name) {
    std::uint64_t rank = 0;
    for (std::size_t other = 0; other < k_states; ++other)
      if (name_of(other) < name) ++rank;
    return rank;
  }

  // Fills ranks_ for the texts that rows have.
  template <class TextOf>
  void rank(TextOf text_of) {
    ranks_.assign(rows_.texts().size(), 0);
    std::vector<Id> texts;
    for (const Row* row : found_)
      if (const auto text = text_of(*row); text && std::exchange(ranks_[*text], 1) == 0) texts.push_back(*text);
    std::ranges::sort(texts, {}, [this](Id text) { return rows_.texts()[text]; });
    if (sort_.is_descending) std::ranges::reverse(texts);
    for (std::uint32_t rank = 0; rank < texts.size(); ++rank) ranks_[texts[rank]] = rank;
  }

  const ExperimentRows& rows_;
  const Found& found_;
  const Sort& sort_;
  WallTime now_;
  std::optional<Id> name_;
  std::array<std::uint64_t, k_states> state_ranks_{};
  std::vector<std::uint32_t> ranks_;  // of texts, by their number
};

struct NameCount {
  Id name = 0;
  std::size_t count = 0;
  bool differs = false;
};

// The first `most`, those that differ and then the most frequent first.
std::vector<NameCount> foremost(std::vector<NameCount> counts, std::size_t most, const TextTable& names) {
  std::erase_if(counts, [](const NameCount& each) { return each.count == 0; });
  std::ranges::sort(counts, [&](const NameCount& a, const NameCount& b) {
    if (a.differs != b.differs) return a.differs;
    return a.count != b.count ? a.count > b.count : names[a.name] < names[b.name];
  });
  if (counts.size() > most) counts.resize(most);
  return counts;
}

std::vector<NameCount> no_counts(const ExperimentRows& rows) {
  std::vector<NameCount> counts(rows.names().size());
  for (Id name = 0; name < counts.size(); ++name) counts[name].name = name;
  return counts;
}

std::vector<std::string> metrics_of(const ExperimentRows& rows, const Found& found) {
  std::vector<NameCount> counts = no_counts(rows);
  for (const Row* row : found)
    for (const auto& metric : rows.metrics(*row)) ++counts[metric.name].count;
  std::vector<std::string> names;
  for (const NameCount& each : foremost(std::move(counts), k_most_metrics, rows.names()))
    names.emplace_back(rows.names()[each.name]);
  return names;
}

std::vector<ParameterName> parameters_of(const ExperimentRows& rows, const Found& found) {
  std::vector<NameCount> counts = no_counts(rows);
  std::vector<Id> values(counts.size());  // by name, of who had it first
  for (const Row* row : found) {
    for (const auto& parameter : rows.parameters(*row)) {
      NameCount& each = counts[parameter.name];
      if (each.count++ == 0) values[parameter.name] = parameter.value;
      each.differs = each.differs || parameter.value != values[parameter.name];
    }
  }
  for (NameCount& each : counts) each.differs = each.differs || each.count < found.size();
  std::vector<ParameterName> names;
  for (const NameCount& each : foremost(std::move(counts), k_most_parameters, rows.names()))
    names.push_back({std::string(rows.names()[each.name]), each.differs});
  return names;
}

}  // namespace

std::optional<Sort> parse_sort(std::string_view text) {
  Sort sort{.is_descending = text.starts_with('-')};
  if (sort.is_descending) text.remove_prefix(1);
  for (const auto& [name, key] : k_sort_names) {
    sort.key = key;
    if (text == name) return sort;
  }
  for (const auto& [prefix, key] : k_sort_prefixes) {
    sort.key = key;
    sort.name = text.substr(std::min(prefix.size(), text.size()));
    if (text.starts_with(prefix)) return sort;
  }
  return std::nullopt;
}

ExperimentPage find_page(const ExperimentRows& rows, const ExperimentQuery& query, WallTime now) {
  Found found;
  Matcher matcher(rows, query);
  for (Id id = 0; id < rows.rows().size(); ++id)
    if (matcher.matches(rows.rows()[id], id)) found.push_back(&rows.rows()[id]);
  ExperimentPage page{.experiments = {},
                      .total = found.size(),
                      .metrics = metrics_of(rows, found),
                      .parameters = parameters_of(rows, found)};
  if (query.offset >= found.size()) return page;
  // Only what is shown is put in order.
  std::vector<Place> places = Sorter(rows, found, query.sort, now).places();
  const auto first = places.begin() + static_cast<std::ptrdiff_t>(query.offset);
  const auto last = first + static_cast<std::ptrdiff_t>(std::min(query.limit, found.size() - query.offset));
  std::nth_element(places.begin(), first, places.end());
  std::partial_sort(first, last, places.end());
  for (auto at = first; at != last; ++at) page.experiments.push_back(found[at->at]->experiment);
  return page;
}

}  // namespace studio::server
