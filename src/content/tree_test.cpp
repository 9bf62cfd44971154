#include "content/tree.hpp"

#include <set>

#include "content/content_testing.hpp"
#include "content/diff.hpp"

namespace studio::content {
namespace {

std::string random_name(Random& random) {
  std::string name;
  do {
    name.clear();
    for (std::uint64_t i = random.below(12) + 1; i > 0; --i) name += static_cast<char>(random.next() & 0xff);
  } while (!valid_entry_name(name));
  return name;
}

TreeEntry random_entry(Random& random) {
  TreeEntry entry{.type = static_cast<EntryType>(random.below(8) + 1), .name = random_name(random)};
  entry.mode = static_cast<std::uint32_t>(random.below(010000));
  entry.modified_ns = static_cast<std::int64_t>(random.next());
  const auto content = [&] {
    if (random.below(3) == 0) return ContentRef();
    return ContentRef{random.below(1000) + 1, static_cast<std::uint8_t>(random.below(3)),
                      Sha256::of(as_bytes(entry.name))};
  };
  if (has_bytes(entry.type)) {
    entry.content = content();
    entry.size = entry.content.size;
    for (std::uint64_t at = random.below(50), i = random.below(3); i > 0; --i) {
      entry.holes.push_back({at, random.below(100) + 1});
      at += entry.holes.back().length + random.below(2);
      entry.size += entry.holes.back().length;
    }
    if (!entry.holes.empty() && entry.holes.back().offset + entry.holes.back().length > entry.size) {
      entry.holes.clear();
      entry.size = entry.content.size;
    }
  }
  if (entry.type == EntryType::hard_link) entry.target = random_name(random) + "/" + random_name(random);
  if (entry.type == EntryType::symlink) entry.target = "../../etc/passwd";
  if (entry.type == EntryType::directory) {
    entry.content = content();
    entry.totals = {random.next(), random.next(), random.next()};
  }
  if (entry.type == EntryType::char_device || entry.type == EntryType::block_device) {
    entry.device_major = static_cast<std::uint32_t>(random.next());
    entry.device_minor = static_cast<std::uint32_t>(random.next());
  }
  for (std::uint64_t i = random.below(3); i > 0; --i)
    entry.attributes.emplace_back(concat("user.a", 3 - i), random_text(random.below(20), random.next()));
  if (random.below(3) == 0) entry.problem = "it could not be read";
  return entry;
}

// The body, without its length.
Bytes body_of(const TreeEntry& entry) {
  ByteWriter out;
  append_entry(out, entry);
  ByteReader in(out.view());
  const std::uint64_t length = in.varint();
  EXPECT_EQ(length, in.remaining());
  const ByteView body = in.raw(length);
  return {body.begin(), body.end()};
}

TEST(TreeEntryFormat, RoundTrip) {
  Random random(1);
  for (int i = 0; i < 3000; ++i) {
    const TreeEntry entry = random_entry(random);
    const auto parsed = parse_entry(body_of(entry));
    ASSERT_TRUE(parsed) << parsed.error().message;
    ASSERT_EQ(*parsed, entry);
  }
}

TEST(TreeEntryFormat, DamageGivesNoInvalidEntry) {
  Random random(2);
  const auto expect_valid = [](ByteView body) {
    const auto entry = parse_entry(body);
    if (!entry) return;
    ASSERT_TRUE(valid_entry_name(entry->name));
    ASSERT_TRUE(entry->type != EntryType::hard_link || valid_entry_path(entry->target));
    std::uint64_t end = 0;
    for (const Extent& hole : entry->holes) {
      ASSERT_GE(hole.offset, end);
      ASSERT_GT(hole.length, 0u);
      end = hole.offset + hole.length;
    }
    ASSERT_LE(end, entry->size);
    ASSERT_EQ(*parse_entry(body_of(*entry)), *entry);
  };
  for (int i = 0; i < 400; ++i) {
    const Bytes body = body_of(random_entry(random));
    for (std::size_t size = 0; size < body.size(); ++size) expect_valid(ByteView(body).first(size));
    for (std::size_t at = 0; at < body.size(); ++at) {
      Bytes mutated = body;
      mutated[at] ^= static_cast<std::byte>(1 << random.below(8));
      expect_valid(mutated);
    }
  }
}

TEST(TreeEntryFormat, UnknownExtras) {
  const TreeEntry entry{.type = EntryType::fifo, .name = "x", .mode = 0600};
  const auto with = [&](std::uint64_t number) {
    ByteWriter out;
    out.raw(ByteView(body_of(entry)));
    out.varint(number);
    out.sized("anything");
    return parse_entry(out.view());
  };
  EXPECT_EQ(must(with(6)), entry);
  EXPECT_EQ(must(with(1'000'000)), entry);
  EXPECT_EQ(code_of(with(3)), Code::unsupported);
  EXPECT_EQ(code_of(with(1)), Code::corrupt);  // holes in a FIFO
}

TEST(TreeEntryFormat, NamesThatWouldLeaveAreRefused) {
  for (const std::string& name : {std::string(), std::string("."), std::string(".."), std::string("a/b"),
                                  std::string("/"), std::string("a\0b", 3)}) {
    EXPECT_FALSE(valid_entry_name(name));
    EXPECT_EQ(code_of(parse_entry(body_of({.type = EntryType::fifo, .name = name}))), Code::corrupt);
  }
  for (const char* target : {"", "/a", "a/", "../a", "a/../b", "a//b", "."})
    EXPECT_EQ(code_of(parse_entry(body_of({.type = EntryType::hard_link, .name = "x", .target = target}))),
              Code::corrupt)
        << target;
  EXPECT_EQ(code_of(parse_entry(body_of({.type = EntryType::symlink, .name = "x", .target = ""}))), Code::corrupt);
  EXPECT_EQ(code_of(parse_entry(body_of({.type = EntryType::fifo, .name = "x", .attributes = {{"trusted.x", "1"}}}))),
            Code::corrupt);
}

// Made by hand after doc/format.md.
TEST(TreeFormat, HasTheBytesOfTheFormat) {
  ByteWriter out;
  append_tree_header(out);
  append_entry(out, {.type = EntryType::symlink, .name = "l", .mode = 0777, .modified_ns = -1, .target = "to"});
  append_entry(
      out, {.type = EntryType::file, .name = "z", .mode = 0644, .modified_ns = 64, .size = 300, .holes = {{0, 300}}});
  EXPECT_EQ(hex(out.view()),
            "535455445452454501"
            "0903016cff030102746f"    // 9 bytes: type 3, "l", 0777, -1, "to"
            "0f01017aa4038001ac0200"  // 15 bytes: type 1, "z", 0644, 64, size 300, no content,
            "010300ac02");            // extra 1: a hole at 0 of 300
}

Result<int> count_entries(ChunkSource& source, const ContentRef& listing) {
  TreeReader reader(source, listing);
  for (int count = 0;; ++count) {
    TRY_ASSIGN(const auto entry, reader.next());
    if (!entry) return count;
  }
}

TEST(TreeFormat, EveryDamageToAListingIsRefusedOrHarmless) {
  Chunks chunks;
  ByteWriter out;
  append_tree_header(out);
  for (int i = 0; i < 5; ++i) append_entry(out, {.type = EntryType::fifo, .name = concat("name", i), .mode = 0600});
  const auto count = [&](ByteView listing) { return count_entries(chunks.writer, chunks.put(listing)); };
  EXPECT_EQ(must(count(out.view())), 5);
  int whole = 0;
  for (std::size_t size = 0; size < out.size(); ++size) whole += count(out.view().first(size)) ? 1 : 0;
  EXPECT_EQ(whole, 5);  // cut between two entries: the digest of the content is what tells
  int harmless = 0;
  for (std::size_t at = 0; at < out.size(); ++at) {
    Bytes mutated(out.view().begin(), out.view().end());
    mutated[at] ^= std::byte{0x80};
    const auto counted = count(mutated);
    if (counted) {
      EXPECT_EQ(*counted, 5) << at;
    } else {
      EXPECT_TRUE(counted.error().code == Code::corrupt || counted.error().code == Code::unsupported) << at;
    }
    harmless += counted ? 1 : 0;
  }
  EXPECT_EQ(harmless, 5) << "the letters of the last name: another would be out of order";
  Bytes newer(out.view().begin(), out.view().end());
  newer[8] = std::byte{2};
  EXPECT_EQ(code_of(count(newer)), Code::unsupported);
  ByteWriter unsorted;
  append_tree_header(unsorted);
  append_entry(unsorted, {.type = EntryType::fifo, .name = "b"});
  append_entry(unsorted, {.type = EntryType::fifo, .name = "a"});
  EXPECT_EQ(code_of(count(unsorted.view())), Code::corrupt);
  ByteWriter twice;
  append_tree_header(twice);
  append_entry(twice, {.type = EntryType::fifo, .name = "a"});
  append_entry(twice, {.type = EntryType::fifo, .name = "a"});
  EXPECT_EQ(code_of(count(twice.view())), Code::corrupt);
}

TEST(TreeWalkOrder, VisitsSkipsAndFinds) {
  Chunks chunks;
  const ContentRef root = put_tree(chunks, {directory_node("a", {file_node(chunks, "x", "1"), directory_node("y", {})}),
                                            file_node(chunks, "b", "2"),
                                            {{.type = EntryType::hard_link,
                                              .name = "h",
                                              .size = 1,
                                              .content = chunks.put(as_bytes("1")),
                                              .target = "a/x"}}});
  const auto walk = [&](std::string_view skipped) {
    TreeWalk events(chunks.writer, root);
    std::string text;
    while (const auto event = must(events.next())) {
      text += concat(event->kind == TreeWalk::Event::Kind::leave ? "<" : ">", event->path, " ");
      if (event->kind == TreeWalk::Event::Kind::entry && event->path == skipped) events.skip();
    }
    return text;
  };
  EXPECT_EQ(walk(""), ">a >a/x >a/y <a/y <a >b >h ");
  EXPECT_EQ(walk("a"), ">a >b >h ");
  EXPECT_EQ(walk("a/y"), ">a >a/x >a/y <a >b >h ");
  EXPECT_EQ(must(find_entry(chunks.writer, root, "")).content, root);
  EXPECT_EQ(must(find_entry(chunks.writer, root, "a/y")).type, EntryType::directory);
  EXPECT_EQ(must(find_entry(chunks.writer, root, "./a//x")).name, "x");
  EXPECT_EQ(must(find_entry(chunks.writer, root, "h")).content, chunks.put(as_bytes("1")));
  for (const char* path : {"c", "a/z", "b/x", "a/x/y", ".."})
    EXPECT_EQ(code_of(find_entry(chunks.writer, root, path)), Code::not_found) << path;
}

std::vector<Node> random_tree(Chunks& chunks, Random& random, int depth) {
  std::set<std::string> names;
  for (std::uint64_t i = random.below(5); i > 0; --i)
    names.insert(std::string(1, static_cast<char>('a' + random.below(5))) + (random.below(3) == 0 ? "!" : ""));
  std::vector<Node> nodes;
  for (const std::string& name : names) {
    const std::uint64_t kind = random.below(5);
    Node node = kind < 2 && depth > 0 ? directory_node(name, random_tree(chunks, random, depth - 1))
                : kind == 4           ? symlink_node(name, concat("to", random.below(2)))
                                      : file_node(chunks, name, concat("content ", random.below(3)));
    node.entry.mode = random.below(2) == 0 ? 0700 : 0755;
    node.entry.modified_ns = static_cast<std::int64_t>(random.below(3));
    nodes.push_back(std::move(node));
  }
  return nodes;
}

void flatten(const std::vector<Node>& nodes, const std::string& prefix, std::map<std::string, TreeEntry>& all) {
  for (const Node& node : nodes) {
    all[prefix + node.entry.name] = node.entry;
    flatten(node.children, prefix + node.entry.name + "/", all);
  }
}

TEST(Diff, AgreesWithANaiveOne) {
  Chunks chunks;
  Random random(3);
  for (int round = 0; round < 500; ++round) {
    const auto before = random_tree(chunks, random, 3);
    const auto after = random.below(10) == 0 ? before : random_tree(chunks, random, 3);
    std::map<std::string, TreeEntry> old_entries;
    std::map<std::string, TreeEntry> new_entries;
    flatten(before, "", old_entries);
    flatten(after, "", new_entries);
    std::map<std::string, std::string> expected;
    for (const auto& [path, entry] : old_entries) {
      const auto found = new_entries.find(path);
      if (found == new_entries.end()) {
        expected[path] = "removed";
        continue;
      }
      const TreeEntry& other = found->second;
      const bool same = entry.type == other.type && entry.content == other.content && entry.target == other.target;
      const bool both_directories = entry.type == EntryType::directory && other.type == EntryType::directory;
      if (!same && !both_directories)
        expected[path] = "modified";
      else if (entry.mode != other.mode)
        expected[path] = "mode";
    }
    for (const auto& [path, entry] : new_entries)
      if (!old_entries.contains(path)) expected[path] = "added";
    std::map<std::string, std::string> found;
    must(diff_trees(chunks.writer, put_tree(chunks, before), put_tree(chunks, after),
                    [&](const Difference& difference) -> Result<void> {
                      EXPECT_TRUE(found.emplace(difference.path, name_of(difference.change)).second) << difference.path;
                      EXPECT_EQ(difference.before == nullptr, difference.change == ChangeKind::added);
                      EXPECT_EQ(difference.after == nullptr, difference.change == ChangeKind::removed);
                      return {};
                    }));
    ASSERT_EQ(found, expected) << round;
  }
}

}  // namespace
}  // namespace studio::content
