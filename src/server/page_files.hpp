// The web page as it was built, carried in the binary.
#pragma once

#include <span>
#include <string_view>

namespace studio::server {

struct PageFile {
  std::string_view name;  // "index.html", "assets/app.js"
  std::string_view content;
};
// Made from web/dist at build time.
extern const std::span<const PageFile> k_page_files;

}  // namespace studio::server
