// What lies in a version: the entries of `artifacts files` and of the server's trees.
#pragma once

#include <functional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "base/result.hpp"
#include "content/tree.hpp"

namespace studio::view {

struct ListedFile {
  std::string path;          // from the root of the artifact
  content::TreeEntry entry;  // hard links are shown as the file that they name
};

struct ListRequest {
  content::ContentRef root;  // of the version
  std::string path;          // normalised, "" for the root
  content::TreeEntry entry;  // what lies there
  bool recursive = false;
};

// Of a directory what is in it, else the entry itself.
Result<void> list_files(content::ChunkSource& chunks, const ListRequest& request,
                        const std::function<Result<void>(const ListedFile&)>& visit);

nlohmann::ordered_json file_json(const ListedFile& file);

}  // namespace studio::view
