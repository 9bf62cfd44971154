#include "cli/table.hpp"

#include <algorithm>

#include "base/concat.hpp"
#include "cli/format.hpp"

namespace studio::cli {

namespace {

constexpr std::size_t k_gap = 2;
constexpr std::size_t k_least_width = 8;  // of a column that is cut: less tells nothing

std::string aligned(const std::string& text, Align align, std::size_t width, const std::string& shown) {
  const std::size_t used = display_width(text);
  const std::string padding(width > used ? width - used : 0, ' ');
  return align == Align::right ? padding + shown : shown + padding;
}

}  // namespace

std::string painted(std::string_view text, Colour colour, bool uses_colours) {
  if (!uses_colours || colour == Colour::none) return std::string(text);
  const char* code = colour == Colour::good ? "32" : colour == Colour::bad ? "31" : "36";
  return concat("\x1b[", code, "m", text, "\x1b[0m");
}

std::vector<std::size_t> Table::widths(std::size_t limit) const {
  std::vector<std::size_t> widths;
  for (const Column& column : columns_) widths.push_back(display_width(column.heading));
  for (const auto& row : rows_)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], display_width(row[i].text));
  if (limit == 0) return widths;
  std::size_t total = k_gap * (widths.size() - 1);
  for (const std::size_t width : widths) total += width;
  // From the right: what is furthest to the right matters least.
  for (std::size_t i = widths.size(); i-- > 0 && total > limit;) {
    if (!columns_[i].may_be_cut || widths[i] <= k_least_width) continue;
    const std::size_t less = std::min(total - limit, widths[i] - k_least_width);
    widths[i] -= less;
    total -= less;
  }
  return widths;
}

std::string Table::text(std::size_t width, bool uses_colours, std::string_view indent) const {
  if (rows_.empty()) return {};
  const auto column_widths = widths(width > indent.size() ? width - indent.size() : width);
  std::string text;
  const auto add_line = [&](const auto& cell_of) {
    std::string line(indent);
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const Cell cell = cell_of(i);
      const std::string cut = cut_to_width(cell.text, column_widths[i]);
      if (i > 0) line.append(k_gap, ' ');
      line += aligned(cut, columns_[i].align, column_widths[i], painted(cut, cell.colour, uses_colours));
    }
    line.resize(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  };
  add_line([&](std::size_t i) { return Cell(columns_[i].heading); });
  for (const auto& row : rows_) add_line([&](std::size_t i) { return row[i]; });
  return text;
}

Result<void> Table::write(Output& output, std::string_view indent) const {
  return output.write(text(static_cast<std::size_t>(output.width()), output.uses_colours(), indent));
}

}  // namespace studio::cli
