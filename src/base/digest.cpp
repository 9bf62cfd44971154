#include "base/digest.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <cstdio>
#include <cstdlib>

#include "base/concat.hpp"
#include "base/sha256_lanes.hpp"

namespace studio {

namespace {

// Fetched once: EVP_sha256() would look the provider up again at each use. In a context of its own, because the default
// one obeys a configuration file, which may be broken or leave no provider.
const EVP_MD* sha256() {
  static const EVP_MD* const k_method = EVP_MD_fetch(OSSL_LIB_CTX_new(), "SHA256", nullptr);
  return k_method;
}

}  // namespace

int hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  return -1;
}

std::string hex(ByteView bytes) {
  static constexpr char k_digits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::byte byte : bytes) {
    text.push_back(k_digits[std::to_integer<unsigned>(byte) >> 4]);
    text.push_back(k_digits[std::to_integer<unsigned>(byte) & 15]);
  }
  return text;
}

std::string Digest::hex() const { return studio::hex(bytes); }

Result<Digest> Digest::from_hex(std::string_view text) {
  Digest digest;
  bool good = text.size() == 2 * k_size;
  for (std::size_t i = 0; good && i < k_size; ++i) {
    const int high = hex_value(text[2 * i]);
    const int low = hex_value(text[2 * i + 1]);
    good = high >= 0 && low >= 0;
    digest.bytes[i] = static_cast<std::byte>((high << 4) | low);
  }
  if (!good) return Error{Code::invalid, concat("'", text, "' is not a SHA-256 digest")};
  return digest;
}

Digest Sha256::of(ByteView bytes) {
  Digest digest;
  auto* const out = reinterpret_cast<unsigned char*>(digest.bytes.data());
  if (sha256() == nullptr || EVP_Digest(bytes.data(), bytes.size(), out, nullptr, sha256(), nullptr) != 1) {
    std::fputs("studio: OpenSSL cannot compute SHA-256\n", stderr);
    std::abort();
  }
  return digest;
}

void Sha256::of_each(std::span<const ByteView> runs, std::span<Digest> digests) {
  static const bool k_has_avx512 = k_sha256_avx512.is_supported();
  static const bool k_has_instructions = k_sha256_instructions.is_supported();
  // An idle lane costs as much as a busy one.
  if (k_has_avx512 && runs.size() >= k_sha256_avx512.lanes / 2) return k_sha256_avx512.hash(runs, digests);
  if (k_has_instructions && runs.size() >= k_sha256_instructions.lanes)
    return k_sha256_instructions.hash(runs, digests);
  for (std::size_t i = 0; i < runs.size(); ++i) digests[i] = of(runs[i]);
}

}  // namespace studio
