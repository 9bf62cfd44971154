// Rows of text in aligned columns.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/output.hpp"

namespace studio::cli {

// Colours mean something or are not used: good (green), bad (red), under way (cyan).
enum class Colour { none, good, bad, live };

std::string painted(std::string_view text, Colour colour, bool uses_colours);

enum class Align { left, right };

struct Column {
  std::string heading;
  Align align = Align::left;
  bool may_be_cut = false;  // gives way when a line is too long for the terminal
};

struct Cell {
  Cell(std::string content, Colour its_colour = Colour::none) : text(std::move(content)), colour(its_colour) {}
  Cell(const char* content) : Cell(std::string(content)) {}
  std::string text;  // printable
  Colour colour;
};

class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // As many cells as there are columns.
  void add(std::vector<Cell> cells) { rows_.push_back(std::move(cells)); }

  // Headings and rows; nothing if there are no rows. No line ends in spaces.
  Result<void> write(Output& output, std::string_view indent = "") const;
  std::string text(std::size_t width, bool uses_colours, std::string_view indent = "") const;  // width 0: no limit

 private:
  std::vector<std::size_t> widths(std::size_t limit) const;

  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace studio::cli
