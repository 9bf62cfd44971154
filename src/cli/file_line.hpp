// A file of a version as a line of text.
#pragma once

#include <string>

#include "content/tree.hpp"
#include "view/file_list.hpp"

namespace studio::cli {

// Like a line of `ls -l`, with its newline. `escaped`: for a terminal.
std::string file_line(const view::ListedFile& file, bool shows_path, bool escaped);

// "-rw-r--r--"
std::string mode_text(const content::TreeEntry& entry);

}  // namespace studio::cli
