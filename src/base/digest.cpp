#include "base/digest.hpp"

#include <openssl/evp.h>

#include <new>

#include "base/concat.hpp"

namespace studio {

namespace {

int hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  return -1;
}

// Fetched once: EVP_sha256() would look the provider up again at each use.
const EVP_MD* sha256() {
  static const EVP_MD* const k_method = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return k_method;
}

EVP_MD_CTX* context_of(void* context) { return static_cast<EVP_MD_CTX*>(context); }

}  // namespace

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

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  if (context_ == nullptr) throw std::bad_alloc();
  begin();
}

Sha256::~Sha256() { EVP_MD_CTX_free(context_of(context_)); }

void Sha256::begin() { EVP_DigestInit_ex2(context_of(context_), sha256(), nullptr); }

void Sha256::update(ByteView bytes) { EVP_DigestUpdate(context_of(context_), bytes.data(), bytes.size()); }

Digest Sha256::finish() {
  Digest digest;
  EVP_DigestFinal_ex(context_of(context_), reinterpret_cast<unsigned char*>(digest.bytes.data()), nullptr);
  begin();
  return digest;
}

Digest Sha256::of(ByteView bytes) {
  thread_local Sha256 hasher;
  hasher.update(bytes);
  return hasher.finish();
}

}  // namespace studio
