#include "content/tar.hpp"

#include <cstdio>

#include "content/content_testing.hpp"

namespace studio::content {
namespace {

// What Python makes of the archive: one line a member, byte strings in hexadecimal.
constexpr std::string_view k_script = R"(
import hashlib, sys, tarfile
def h(text): return text.encode('utf-8', 'surrogateescape').hex()
with tarfile.open(sys.argv[1], encoding='utf-8', errors='surrogateescape') as archive:
    for m in archive:
        content = archive.extractfile(m).read() if m.isreg() else b''
        print(m.type.decode(), h(m.name), oct(m.mode), repr(float(m.mtime)), m.size, h(m.linkname), m.uid, m.uname,
              hashlib.sha256(content).hexdigest() if m.isreg() else '-',
              h(m.pax_headers.get('SCHILY.xattr.user.note', '')), sep='|')
)";

struct Tar : testing::Test {
  std::string archive(const ContentRef& root, const std::string& prefix = "p") {
    std::string bytes;
    must(export_tar(chunks.writer, root, prefix, [&](ByteView part) -> Result<void> {
      bytes += as_text(part);
      return {};
    }));
    EXPECT_EQ(bytes.size() % 512, 0u);
    return bytes;
  }
  std::vector<std::string> read_by_python(const std::string& bytes) {
    write_text(scratch / "script.py", k_script);
    write_text(scratch / "archive.tar", bytes);
    const std::string command = concat("python3 '", scratch / "script.py", "' '", scratch / "archive.tar", "' 2>&1");
    const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
    std::vector<std::string> lines;
    std::array<char, 65536> line{};
    while (std::fgets(line.data(), static_cast<int>(line.size()), pipe.get()) != nullptr) {
      lines.emplace_back(line.data());
      lines.back().pop_back();
    }
    return lines;
  }
  static std::string sha(std::string_view text) { return Sha256::of(as_bytes(text)).hex(); }
  static std::string h(std::string_view text) { return hex(as_bytes(text)); }

  test::ScratchDirectory scratch;
  Chunks chunks;
};

TEST_F(Tar, PythonReadsEveryKindOfEntry) {
  const std::string long_name(250, 'n');
  const std::string long_bad = std::string(200, 'b') + "\xff\xfe";
  Node timed = file_node(chunks, "timed", "x");
  timed.entry.modified_ns = 1'500'000'000'250'000'000;
  Node old = file_node(chunks, "old", "x");
  old.entry.modified_ns = -1'500'000'000;
  Node noted = file_node(chunks, "noted", "x", 0600);
  noted.entry.attributes = {{"user.note", "with = and \n"}};
  Node link = file_node(chunks, "z_link", "x");
  link.entry.type = EntryType::hard_link;
  link.entry.target = "timed";
  link.entry.modified_ns = timed.entry.modified_ns;
  Node wrong = file_node(chunks, "z_wrong", "other");
  wrong.entry.type = EntryType::hard_link;
  wrong.entry.target = "timed";
  Node sparse = file_node(chunks, "sparse", "data");
  sparse.entry.size = 3004;
  sparse.entry.holes = {{0, 1000}, {1002, 2000}};
  Node device{{.type = EntryType::char_device, .name = "null", .mode = 0666, .device_major = 1, .device_minor = 3}};
  Node socket{{.type = EntryType::socket, .name = "socket"}};
  std::vector<Node> nodes{file_node(chunks, long_bad, "bad"),
                          directory_node("dir", {file_node(chunks, long_name, "long")}),
                          {{.type = EntryType::fifo, .name = "fifo", .mode = 0644}},
                          noted,
                          device,
                          old,
                          file_node(chunks, "short\xff", "short bad"),
                          socket,
                          sparse,
                          symlink_node("sym", std::string(300, 't')),
                          timed,
                          link,
                          wrong};
  std::sort(nodes.begin(), nodes.end(), [](const Node& a, const Node& b) { return a.entry.name < b.entry.name; });
  const auto lines = read_by_python(archive(put_tree(chunks, nodes)));
  const std::string zero_sparse = std::string(1000, '\0') + "da" + std::string(2000, '\0') + "ta";
  EXPECT_EQ(lines, (std::vector<std::string>{
                       concat("5|", h("p"), "|0o755|0.0|0||0||-|"),
                       concat("0|", h("p/" + long_bad), "|0o644|0.0|3||0||", sha("bad"), "|"),
                       concat("5|", h("p/dir"), "|0o755|0.0|0||0||-|"),
                       concat("0|", h("p/dir/" + long_name), "|0o644|0.0|4||0||", sha("long"), "|"),
                       concat("6|", h("p/fifo"), "|0o644|0.0|0||0||-|"),
                       concat("0|", h("p/noted"), "|0o600|0.0|1||0||", sha("x"), "|", h("with = and \n")),
                       concat("3|", h("p/null"), "|0o666|0.0|0||0||-|"),
                       concat("0|", h("p/old"), "|0o644|-1.5|1||0||", sha("x"), "|"),
                       concat("0|", h("p/short\xff"), "|0o644|0.0|9||0||", sha("short bad"), "|"),
                       concat("0|", h("p/sparse"), "|0o644|0.0|3004||0||", sha(zero_sparse), "|"),
                       concat("2|", h("p/sym"), "|0o777|0.0|0|", h(std::string(300, 't')), "|0||-|"),
                       concat("0|", h("p/timed"), "|0o644|1500000000.25|1||0||", sha("x"), "|"),
                       // Python reads what a hard link refers to.
                       concat("1|", h("p/z_link"), "|0o644|1500000000.25|0|", h("p/timed"), "|0||", "-", "|"),
                       concat("0|", h("p/z_wrong"), "|0o644|0.0|5||0||", sha("other"), "|"),
                   }));
}

TEST_F(Tar, IsTheSameEachTimeAndEndsInZeros) {
  const ContentRef root = put_tree(chunks, {file_node(chunks, "a", random_text(100'000))});
  const std::string bytes = archive(root);
  EXPECT_EQ(archive(root), bytes);
  EXPECT_EQ(bytes.substr(bytes.size() - 1024), std::string(1024, '\0'));
  for (const std::size_t size : {511u, 512u, 513u}) {
    const auto lines = read_by_python(
        archive(put_tree(chunks, {file_node(chunks, "a", std::string(size, 'x')), file_node(chunks, "b", "next")})));
    ASSERT_EQ(lines.size(), 3u);
    EXPECT_EQ(lines[2], concat("0|", h("p/b"), "|0o644|0.0|4||0||", sha("next"), "|"));
  }
}

TEST_F(Tar, ErrorsOfTheSinkEndIt) {
  const ContentRef root = put_tree(chunks, {file_node(chunks, "a", random_text(10'000))});
  int calls = 0;
  const auto result = export_tar(chunks.writer, root, "p", [&](ByteView) -> Result<void> {
    if (++calls == 3) return Error{Code::exhausted, "full"};
    return {};
  });
  EXPECT_EQ(code_of(result), Code::exhausted);
  EXPECT_EQ(calls, 3);
}

// Only the headers: the sink gives up at the first zero of the hole.
TEST_F(Tar, FilesBeyondEightGibibytes) {
  Node huge = file_node(chunks, "huge", "end");
  huge.entry.size = (std::uint64_t{9} << 30) + 3;
  huge.entry.holes = {{0, std::uint64_t{9} << 30}};
  Node limit = huge;
  limit.entry.size = (std::uint64_t{8} << 30) - 1;
  limit.entry.holes = {{0, limit.entry.size - 3}};
  const std::string script = R"(
import sys, tarfile
archive = tarfile.open(sys.argv[1])
archive.next()
m = archive.next()
print(m.name, m.size, 'size' in m.pax_headers)
)";
  write_text(scratch / "huge.py", script);
  for (const Node& node : {huge, limit}) {
    std::string bytes;
    const auto written = export_tar(chunks.writer, put_tree(chunks, {node}), "p", [&](ByteView part) -> Result<void> {
      if (part.size() > 10'000) return Error{Code::cancelled, "enough"};
      bytes += as_text(part);
      return {};
    });
    EXPECT_EQ(code_of(written), Code::cancelled);
    write_text(scratch / "huge.tar", bytes);
    const std::string command = concat("python3 '", scratch / "huge.py", "' '", scratch / "huge.tar", "' 2>&1");
    const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
    std::array<char, 4096> line{};
    ASSERT_NE(std::fgets(line.data(), static_cast<int>(line.size()), pipe.get()), nullptr);
    EXPECT_EQ(std::string(line.data()),
              concat("p/huge ", node.entry.size, node.entry.size == huge.entry.size ? " True\n" : " False\n"));
  }
}

TEST_F(Tar, TimesAtTheEndsOfTheirRange) {
  std::vector<Node> nodes;
  for (const std::int64_t time :
       {INT64_MIN, INT64_MIN + 1, std::int64_t{-1}, std::int64_t{0}, std::int64_t{1}, INT64_MAX}) {
    nodes.push_back(file_node(chunks, concat("f", nodes.size()), "x"));
    nodes.back().entry.modified_ns = time;
  }
  const auto lines = read_by_python(archive(put_tree(chunks, nodes)));
  ASSERT_EQ(lines.size(), 7u);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const std::string& line = lines[i + 1];
    const std::size_t at = line.find("644|") + 4;
    EXPECT_NEAR(std::stod(line.substr(at)), static_cast<double>(nodes[i].entry.modified_ns) * 1e-9, 1e-6) << line;
  }
}

TEST_F(Tar, SystemTarUnpacksIt) {
  if (std::system("tar --version > /dev/null 2>&1") != 0) GTEST_SKIP() << "no tar to compare with";
  Node link = file_node(chunks, "z_link", "shared");
  link.entry.type = EntryType::hard_link;
  link.entry.target = std::string(150, 'n');
  const ContentRef root = put_tree(chunks, {directory_node("d", {file_node(chunks, "\xff\xfe", "bad")}),
                                            file_node(chunks, std::string(150, 'n'), "shared", 0640),
                                            file_node(chunks, std::string(120, 'n') + "\xff", "long bad"),
                                            symlink_node("s", std::string(200, 't')), link});
  write_text(scratch / "archive.tar", archive(root));
  const std::string out = scratch / "out";
  make_directory(out);
  ASSERT_EQ(std::system(concat("tar -xpf '", scratch / "archive.tar", "' -C '", out, "' > /dev/null 2>&1").c_str()), 0);
  const auto content = [&](const std::string& name) { return to_text(must(os::read_file(out + "/p/" + name))); };
  EXPECT_EQ(content("d/\xff\xfe"), "bad");
  EXPECT_EQ(content(std::string(120, 'n') + "\xff"), "long bad");
  EXPECT_EQ(content("z_link"), "shared");
  EXPECT_EQ(stat_of(out + "/p/z_link").st_nlink, 2u);
  EXPECT_EQ(stat_of(out + "/p/" + std::string(150, 'n')).st_mode & 07777, 0640u);
}

// Finding what each link refers to must not cost a walk.
TEST_F(Tar, ReadsTheListingOnceForAllLinks) {
  struct CountingSource final : ChunkSource {
    explicit CountingSource(ChunkSource& from) : inner(from) {}
    Result<Bytes> read(const Digest& digest) override {
      ++reads;
      return inner.read(digest);
    }
    ChunkSource& inner;
    int reads = 0;
  };
  constexpr int k_count = 200;
  std::vector<Node> nodes;
  for (const char* prefix : {"a", "b"})
    for (int i = 0; i < k_count; ++i) {
      Node node = file_node(chunks, concat(prefix, 100 + i), "x");
      if (*prefix == 'b') {
        node.entry.type = EntryType::hard_link;
        node.entry.target = concat("a", 100 + i);
      }
      nodes.push_back(std::move(node));
    }
  CountingSource source(chunks.writer);
  must(export_tar(source, put_tree(chunks, nodes), "p", [](ByteView) -> Result<void> { return {}; }));
  EXPECT_LT(source.reads, 10 * k_count);
}

}  // namespace
}  // namespace studio::content
