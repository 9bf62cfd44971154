#include "net/http_head.hpp"

#include <array>
#include <ctime>

#include <boost/beast/http/status.hpp>

#include "base/concat.hpp"

namespace studio::net {

namespace {

// IMF-fixdate of RFC 9110, 5.6.7: names of days and months are English whatever the locale.
std::string date_now() {
  constexpr std::array k_days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array k_months{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  const auto two = [](int number) { return concat(number < 10 ? "0" : "", number); };
  return concat(k_days.at(static_cast<std::size_t>(utc.tm_wday)), ", ", two(utc.tm_mday), " ",
                k_months.at(static_cast<std::size_t>(utc.tm_mon)), " ", utc.tm_year + 1900, " ", two(utc.tm_hour), ":",
                two(utc.tm_min), ":", two(utc.tm_sec), " GMT");
}

}  // namespace

void drop_bad_headers(Headers& headers) {
  std::erase_if(headers,
                [](const auto& header) { return !is_header_text(header.first) || !is_header_text(header.second); });
}

std::string head_text(const HttpResponse& response, Framing framing, std::uint64_t length, bool keep_alive) {
  namespace http = boost::beast::http;
  const auto status = http::int_to_status(response.status);
  std::string head = concat("HTTP/1.1 ", response.status, " ", std::string(http::obsolete_reason(status)),
                            "\r\nDate: ", date_now(), "\r\n");
  for (const auto& [name, value] : response.headers) head += concat(name, ": ", value, "\r\n");
  if (framing == Framing::chunked) head += "Transfer-Encoding: chunked\r\n";
  if (framing == Framing::length && !has_no_body(response.status)) head += concat("Content-Length: ", length, "\r\n");
  head += keep_alive ? "\r\n" : "Connection: close\r\n\r\n";
  return head;
}

}  // namespace studio::net
