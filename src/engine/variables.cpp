#include "engine/variables.hpp"

#include <algorithm>
#include <array>

#include "base/concat.hpp"
#include "base/letters.hpp"

namespace studio::engine {

namespace {

constexpr std::array<std::string_view, 9> k_names{"PATH", "LANG",        "TZ",      "SHELL",          "USER",
                                                  "HOME", "VIRTUAL_ENV", "HF_HOME", "LD_LIBRARY_PATH"};

constexpr std::array<std::string_view, 17> k_prefixes{
    "LC_",   "CONDA_", "PYTHON", "CUDA_",    "NVIDIA_", "OMP_", "MKL_",   "OPENBLAS_", "NUMEXPR_",
    "NCCL_", "TF_",    "TORCH",  "PYTORCH_", "JAX_",    "XLA_", "SLURM_", "STUDIOML_"};

constexpr std::array<std::string_view, 11> k_secret_names{"KEY",    "TOKEN",   "SECRET",  "PASS",      "CRED", "AUTH",
                                                          "COOKIE", "SESSION", "PRIVATE", "SIGNATURE", "DSN"};

// In lower case. Options and connection strings are passed in variables, too.
constexpr std::array<std::string_view, 9> k_secret_assignments{
    "password=", "passwd=", "pwd=", "token=", "secret=", "apikey=", "api_key=", "authorization:", "bearer "};

// Not <cctype>: it asks the locale.
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_alphanumeric(char c) { return is_digit(c) || is_capital(c) || (c >= 'a' && c <= 'z'); }
constexpr bool is_upper_or_digit(char c) { return is_capital(c) || is_digit(c); }
constexpr bool is_word(char c) { return is_alphanumeric(c) || c == '_' || c == '-'; }
constexpr char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

// Hand-written, because std::regex recurses for each character: a long PATH would overflow the stack.
struct TokenKind {
  std::string_view prefix;
  std::size_t least;  // characters that follow
  bool (*follows)(char);
  bool starts_word = false;  // short prefixes end ordinary words: "disk-…", "task-…"
};

constexpr std::array<TokenKind, 14> k_token_kinds{{{"AKIA", 16, is_upper_or_digit},
                                                   {"ASIA", 16, is_upper_or_digit},
                                                   {"ghp_", 16, is_alphanumeric},
                                                   {"gho_", 16, is_alphanumeric},
                                                   {"ghu_", 16, is_alphanumeric},
                                                   {"ghs_", 16, is_alphanumeric},
                                                   {"ghr_", 16, is_alphanumeric},
                                                   {"github_pat_", 16, is_word},
                                                   {"glpat-", 16, is_word},
                                                   {"AIza", 30, is_word},
                                                   {"xox", 16, is_word, true},
                                                   {"hf_", 6, is_alphanumeric, true},
                                                   {"studio_", 40, is_word, true},
                                                   {"sk-", 8, is_word, true}}};

std::size_t run_length(std::string_view text, bool (*belongs)(char)) {
  return static_cast<std::size_t>(std::ranges::find_if_not(text, belongs) - text.begin());
}

// Behind a slash short ones are names of directories: /data/hf_models.
constexpr std::size_t k_least_in_path = 20;

bool holds(std::string_view text, const TokenKind& kind) {
  for (auto at = text.find(kind.prefix); at != std::string_view::npos; at = text.find(kind.prefix, at + 1)) {
    if (kind.starts_word && at > 0 && is_alphanumeric(text[at - 1])) continue;
    const bool in_path = kind.starts_word && at > 0 && text[at - 1] == '/';
    const std::size_t least = in_path ? std::max(kind.least, k_least_in_path) : kind.least;
    if (run_length(text.substr(at + kind.prefix.size()), kind.follows) >= least) return true;
  }
  return false;
}

// Two of the parts are enough: {"… in base64, a point, the claims.
bool holds_jwt(std::string_view text) {
  for (auto at = text.find("eyJ"); at != std::string_view::npos; at = text.find("eyJ", at + 1)) {
    const std::string_view rest = text.substr(at);
    const std::size_t head = run_length(rest, is_word);
    if (head >= 10 && head < rest.size() && rest[head] == '.' && run_length(rest.substr(head + 1), is_word) >= 4)
      return true;
  }
  return false;
}

// Rather too often than too seldom: an '@' in the path of a URL counts when a ':' is before it, since a password may
// hold anything. Web addresses have no user that is not a secret: https://TOKEN@host.
bool holds_url_with_user(std::string_view text) {
  for (auto at = text.find("://"); at != std::string_view::npos; at = text.find("://", at + 1)) {
    const std::string_view before = text.substr(0, at);
    std::string_view rest = text.substr(at + 3);
    rest = rest.substr(0, rest.find_first_of(" \t\r\n"));
    const auto sign = rest.rfind('@');
    if (sign == std::string_view::npos) continue;
    const bool web = before.ends_with("http") || before.ends_with("https");
    if (web || rest.substr(0, sign).find(':') != std::string_view::npos) return true;
  }
  return false;
}

bool holds_assignment(std::string_view text) {
  const std::string lowered = lower(text);
  return std::ranges::any_of(k_secret_assignments,
                             [&](std::string_view part) { return lowered.find(part) != std::string::npos; });
}

bool is_allowed(std::string_view name) {
  return std::ranges::find(k_names, name) != k_names.end() ||
         std::ranges::any_of(k_prefixes, [&](std::string_view prefix) { return name.starts_with(prefix); });
}

bool suggests_secret(std::string_view name) {
  std::string raised(name);
  std::ranges::transform(raised, raised.begin(), upper);
  return std::ranges::any_of(k_secret_names,
                             [&](std::string_view part) { return raised.find(part) != std::string::npos; });
}

// Where the user (and password) of an authority end, just behind the '@'; 0 if it has none.
std::size_t end_of_user(std::string_view address) {
  const std::string_view authority = address.substr(0, address.find_first_of("/?#"));
  if (const auto sign = authority.rfind('@'); sign != std::string_view::npos) return sign + 1;
  // What follows the ':' is no port: a password with a '/' that was not escaped.
  const auto colon = authority.rfind(':');
  const bool odd = colon != std::string_view::npos && !authority.ends_with(']') &&
                   !std::ranges::all_of(authority.substr(colon + 1), is_digit);
  const auto sign = address.rfind('@');
  return odd && sign != std::string_view::npos ? sign + 1 : 0;
}

std::string stripped(std::string_view url) {
  const auto separator = url.find("://");
  if (separator == std::string_view::npos) {
    // scp-like: "user@host:path"
    const auto sign = url.find('@');
    const auto mark = url.find_first_of(":/");
    return std::string(sign != std::string_view::npos && mark < sign && url[mark] == ':' ? url.substr(sign + 1) : url);
  }
  const std::string_view scheme = url.substr(0, separator + 3);
  const std::string_view address = url.substr(separator + 3);
  const std::size_t user_end = end_of_user(address);
  std::string_view rest = address.substr(user_end);
  rest = rest.substr(0, rest.find_first_of("?#"));
  if (user_end == 0 || !scheme.ends_with("ssh://")) return concat(scheme, rest);
  const std::string_view user = address.substr(0, user_end - 1);
  return concat(scheme, user.substr(0, user.find(':')), "@", rest);
}

}  // namespace

bool may_record(std::string_view name, std::string_view value) {
  return is_allowed(name) && !suggests_secret(name) && !holds_token(value) && !holds_url_with_user(value) &&
         !holds_assignment(value);
}

std::map<std::string, std::string> recorded_variables(const std::vector<std::string>& environment) {
  std::map<std::string, std::string> variables;
  for (const std::string_view entry : environment) {
    const auto equals = entry.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view name = entry.substr(0, equals);
    const std::string_view value = entry.substr(equals + 1);
    if (may_record(name, value)) variables.emplace(name, value);
  }
  return variables;
}

bool holds_token(std::string_view text) {
  return text.find("-----BEGIN") != std::string_view::npos || holds_jwt(text) ||
         std::ranges::any_of(k_token_kinds, [&](const TokenKind& kind) { return holds(text, kind); });
}

std::string without_credentials(std::string_view url) {
  std::string result = stripped(url);
  return holds_token(result) ? std::string() : result;
}

}  // namespace studio::engine
