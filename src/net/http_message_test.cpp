#include "net/http_message.hpp"

#include <gtest/gtest.h>

namespace studio::net {
namespace {

TEST(AcceptsCoding, IfItIsListedWithAWeight) {
  for (const char* header :
       {"gzip", "GZip", "br, gzip", " br ,\tgzip ", "gzip;q=1", "gzip;q=0.001", "gzip ; Q=0.5", "identity;q=0, gzip",
        "*", "*;q=0.1", "br;q=0, *", "*;q=0, gzip", "gzip, *;q=0", "identity, *"})
    EXPECT_TRUE(accepts_coding({{"accept-encoding", header}}, "gzip")) << header;
  for (const char* header :
       {"", ",", "br", "identity", "gzip;q=0", "gzip;q=0.0", "GZIP ; q=0.000", "gzip;q=", "gzip;q", "gzip;x=1", "*;q=0",
        "*, gzip;q=0", "gzip;q=0, *", "identity;q=0", "xgzip", "gzip2", "x=gzip", "br;gzip"})
    EXPECT_FALSE(accepts_coding({{"accept-encoding", header}}, "gzip")) << header;
}

TEST(AcceptsCoding, WhereverTheListGoesOn) {
  EXPECT_FALSE(accepts_coding({}, "gzip"));
  EXPECT_FALSE(accepts_coding({{"Accept", "gzip"}}, "gzip"));
  EXPECT_TRUE(accepts_coding({{"Accept-Encoding", "br"}, {"Accept-Encoding", "gzip"}}, "gzip"));
  EXPECT_FALSE(accepts_coding({{"Accept-Encoding", "*"}, {"Accept-Encoding", "gzip;q=0"}}, "gzip"));
}

}  // namespace
}  // namespace studio::net
