#include "server/page_routes.hpp"

#include <zlib.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "base/concat.hpp"
#include "base/digest.hpp"
#include "server/answer.hpp"
#include "server/guard.hpp"
#include "server/page_files.hpp"

namespace studio::server {

namespace {

constexpr std::array k_addresses{"/", "/experiments/{path...}", "/compare", "/storage", "/account"};

struct FileType {
  std::string_view extension;
  const char* type;
};
constexpr std::array k_types{FileType{".html", "text/html; charset=utf-8"}, FileType{".js", "text/javascript"},
                             FileType{".css", "text/css"}, FileType{".svg", "image/svg+xml"}};

const char* type_of(std::string_view name) {
  for (const FileType& each : k_types)
    if (name.ends_with(each.extension)) return each.type;
  return "application/octet-stream";
}

// RFC 1952.
Result<std::string> gzipped(std::string_view text) {
  constexpr int k_gzip_window = 15 + 16;
  constexpr int k_usual_memory = 8;
  z_stream stream{};
  if (::deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, k_gzip_window, k_usual_memory, Z_DEFAULT_STRATEGY) !=
      Z_OK)
    return Error{Code::internal, "zlib cannot be used"};
  std::string result(::deflateBound(&stream, text.size()), '\0');
  std::string input(text);  // zlib does not take const
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(result.data());
  stream.avail_out = static_cast<uInt>(result.size());
  const int done = ::deflate(&stream, Z_FINISH);
  result.resize(stream.total_out);
  ::deflateEnd(&stream);
  if (done != Z_STREAM_END) return Error{Code::internal, "a file of the page cannot be compressed"};
  return result;
}

struct ReadyFile {
  const char* type;
  std::string_view content;
  std::string compressed;
  std::string digest;
};

void answer_file(Call& call, const ReadyFile& file) {
  net::HttpResponse response{.headers = safe_headers(Access::page)};
  response.headers.emplace_back("Content-Type", file.type);
  const bool is_packed = net::accepts_coding(call.request().headers, "gzip");
  const std::string etag = concat("\"", file.digest, is_packed ? "-gzip\"" : "\"");
  response.headers.emplace_back("ETag", etag);
  // A newer Studio has another page under the same names.
  response.headers.emplace_back("Cache-Control", "no-cache");
  response.headers.emplace_back("Vary", "Accept-Encoding");
  if (call.request().header("If-None-Match").find(etag) != std::string_view::npos) {
    response.status = 304;
  } else if (is_packed) {
    response.headers.emplace_back("Content-Encoding", "gzip");
    response.body = file.compressed;
  } else {
    response.body = file.content;
  }
  call.exchange.respond(std::move(response));
}

}  // namespace

Result<void> add_page_routes(Router& router) {
  for (const PageFile& file : k_page_files) {
    TRY_ASSIGN(std::string compressed, gzipped(file.content));
    const auto ready = std::make_shared<const ReadyFile>(
        ReadyFile{type_of(file.name), file.content, std::move(compressed), Sha256::of(as_bytes(file.content)).hex()});
    const auto add = [&](std::string address) {
      router.add({"GET", std::move(address), Access::page, [ready](Call& call) -> Result<void> {
                    answer_file(call, *ready);
                    return {};
                  }});
    };
    if (file.name == "index.html")
      for (const char* address : k_addresses) add(address);
    else
      add(concat("/", file.name));
  }
  return {};
}

}  // namespace studio::server
