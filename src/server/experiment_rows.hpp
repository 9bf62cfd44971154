// What lists of experiments filter and sort by, side by side: to look at a hundred thousand experiments where they lie
// in memory takes longer than all the rest.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "model/experiment.hpp"
#include "server/text_table.hpp"

namespace studio::server {

using ExperimentPointer = std::shared_ptr<const model::Experiment>;  // without the attempt's artifacts

// Not thread-safe.
class ExperimentRows {
 public:
  using Id = TextTable::Id;

  struct Parameter {
    Id name;        // in names()
    Id value;       // in texts()
    double number;  // its value; NaN if that is none
  };
  struct Metric {
    Id name;       // in names()
    double value;  // NaN before it was written
  };
  // A part of one of the lists that all rows share.
  struct Part {
    std::uint32_t begin = 0;
    std::uint32_t size = 0;
  };
  struct Row {
    ExperimentPointer experiment;  // nothing: its record cannot be read any more
    WallTime created;
    WallTime started;
    std::optional<WallTime> ended;
    Id project = 0;  // in texts(), as the next
    Id owner = 0;
    std::uint32_t place = 0;  // by key, among all
    model::State state = model::State::starting;
    bool is_deleted = false;
    Part words;  // of the command, and the directory
    Part parameters;
    Part metrics;
  };

  // Adds it, or puts it in the place of what there was of it.
  void put(ExperimentPointer experiment);
  // It is not listed any more.
  void hide(std::string_view key);
  // Gives the rows their places; needed after put().
  void settle();

  const std::vector<Row>& rows() const { return rows_; }
  const Row* find(std::string_view key) const;  // nothing if it is not listed

  const TextTable& keys() const { return keys_; }  // the number of a key is that of its row
  const TextTable& texts() const { return texts_; }
  const TextTable& names() const { return names_; }
  std::span<const Id> words(const Row& row) const { return part_of(words_, row.words); }
  std::span<const Parameter> parameters(const Row& row) const { return part_of(parameters_, row.parameters); }
  std::span<const Metric> metrics(const Row& row) const { return part_of(metrics_, row.metrics); }

 private:
  template <class Item>
  static std::span<const Item> part_of(const std::vector<Item>& items, Part part) {
    return std::span(items).subspan(part.begin, part.size);
  }
  template <class Item>
  static void replace(std::vector<Item>& items, Part& part, const std::vector<Item>& next);

  TextTable keys_;
  TextTable texts_;  // projects, owners, words, values of parameters
  TextTable names_;  // of parameters and metrics
  std::vector<Row> rows_;
  std::vector<Id> by_key_;  // rows in the order of their keys, as far as they have places
  std::vector<Id> words_;
  std::vector<Parameter> parameters_;
  std::vector<Metric> metrics_;
};

}  // namespace studio::server
