// Keys and certificates for tests, made anew by each run.
#pragma once

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <type_traits>

#include "contract/scratch_directory.hpp"
#include "net/http_server.hpp"

namespace studio::net::testing {

template <auto free>
struct Freed {
  template <class T>
  void operator()(T* object) const {
    free(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;

inline Key make_key() { return Key(EVP_EC_gen("P-256")); }

struct CertificateOptions {
  std::string names = "DNS:localhost, IP:127.0.0.1, IP:::1";  // subjectAltName
  long valid_for = 3600;                                      // seconds from now; negative: expired
};

// Signed by `issuer_key`, which may be its own: then it is its own authority.
inline Certificate make_certificate(const Key& key, const std::string& subject, const Key& issuer_key,
                                    const std::string& issuer, const CertificateOptions& options = {}) {
  Certificate certificate(X509_new());
  X509* const x509 = certificate.get();
  static int serial = 0;
  X509_set_version(x509, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(x509), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(x509), -7200);
  X509_gmtime_adj(X509_getm_notAfter(x509), options.valid_for);
  X509_set_pubkey(x509, key.get());
  const auto add_name = [](X509_NAME* name, const std::string& text) {
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(text.c_str()), -1, -1,
                               0);
  };
  add_name(X509_get_subject_name(x509), subject);
  add_name(X509_get_issuer_name(x509), issuer);
  const auto extend = [&](int kind, const char* value) {
    const std::unique_ptr<X509_EXTENSION, Freed<X509_EXTENSION_free>> extension(
        X509V3_EXT_conf_nid(nullptr, nullptr, kind, value));
    EXPECT_EQ(X509_add_ext(x509, extension.get(), -1), 1);
  };
  if (!options.names.empty()) extend(NID_subject_alt_name, options.names.c_str());
  extend(NID_basic_constraints, subject == issuer ? "critical,CA:TRUE" : "critical,CA:FALSE");
  EXPECT_GT(X509_sign(x509, issuer_key.get(), EVP_sha256()), 0);
  return certificate;
}

inline std::string text_of(BIO* memory) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory, &data);
  std::string text(data, static_cast<std::size_t>(size));
  BIO_free(memory);
  return text;
}
inline std::string pem_of(const Certificate& certificate) {
  BIO* const memory = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(memory, certificate.get());
  return text_of(memory);
}
// Under a passphrase if there is one.
inline std::string pem_of(const Key& key, const char* passphrase = nullptr) {
  BIO* const memory = BIO_new(BIO_s_mem());
  PEM_write_bio_PKCS8PrivateKey(memory, key.get(), passphrase == nullptr ? nullptr : EVP_aes_128_cbc(), nullptr, 0,
                                nullptr, const_cast<char*>(passphrase));
  return text_of(memory);
}

// The files of a server whose certificate an authority has signed, and the file of that authority.
class CertificateFiles {
 public:
  explicit CertificateFiles(const CertificateOptions& options = {}) {
    const Key authority_key = make_key();
    const Key key = make_key();
    authority_ = directory_.write("authority.pem", pem_of(make_certificate(authority_key, "authority", authority_key,
                                                                           "authority", {.names = ""})));
    server_.certificate =
        directory_.write("server.pem", pem_of(make_certificate(key, "server", authority_key, "authority", options)));
    server_.key = directory_.write("server.key", pem_of(key));
  }

  const TlsFiles& server() const { return server_; }
  const std::string& authority() const { return authority_; }
  const test::ScratchDirectory& directory() const { return directory_; }

 private:
  test::ScratchDirectory directory_;
  TlsFiles server_;
  std::string authority_;
};

}  // namespace studio::net::testing
