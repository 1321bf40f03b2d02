#include <fmt/format.h>

#include <string>
#include <string_view>

#include "sluice/config/schema.h"

namespace sluice {
namespace {

constexpr std::string_view kIntroduction =
    R"(<!-- Generated from the schema in src/config/*_rows.cc by sluice-generate; do not edit. -->
# Configuration reference

One YAML 1.2 file (JSON is YAML too), in UTF-8. `sluice check -c FILE` reads it and tells of every
problem with its place. `conf/sluice.yaml` holds every setting with its default and a comment;
`conf/sluice.schema.json` lets an editor complete and check.

The smallest useful file:

```yaml
listeners:
  - {name: web, address: 0.0.0.0:8080, cluster: web}
clusters:
  - name: web
    backends: [10.0.0.1:80, 10.0.0.2:80]
```

## How values are written

- **Durations** have a unit: `250ms`, `1.5s`, `1m`, `2h`.
- **Numbers** are decimal, without a leading zero. **Percentages** are numbers from 0 to 100.
- **true or false** are just those two words. Where `off` may stand, `false` says the same.
- **Addresses** are `10.0.0.1:80`, `"[::1]:80"` (with quotes), `unix:/run/x.sock`, `unix:@abstract`,
  and for backends `host.example:80`. A listener on every address is `0.0.0.0:80` or `"[::]:80"`.
- **Names** are made of letters, digits and `. _ - : / @ [ ]`.
- **Bytes** to send or expect are a text (in double quotes with YAML's escapes, as in `"PING\r\n"`)
  or `{hex: "50 49 4e 47"}`.
- **`${NAME}`** in a value is replaced from the environment after parsing, `${NAME:-default}` has a
  default for when it is not set or empty, and `$$` is a dollar. Inside `{}` and `[]` a variable needs
  quotes.
- An anchor (`&name`) and its aliases (`*name`) repeat a value; merge keys (`<<`) and tags are not
  taken.
- `--set PATH=VALUE` on the command line overrides one setting: `--set
  clusters.web.connect_timeout=500ms`. A member of a list is called by its name, a backend also by
  its address, or by its index from 0.

## Settings

*Takes effect*: on a **reload**, or after a **restart** of the process.

)";

struct Chapter {
  std::string_view prefix;
  std::string_view title;
};

// In the order of schema_rows(); a row belongs to the longest prefix that fits.
constexpr Chapter kChapters[] = {
    {"", "The process"},
    {"listeners[].", "Listeners: `listeners[]`"},
    {"clusters[].", "Clusters: `clusters[]`"},
    {"clusters[].backends[].", "Backends: `clusters[].backends[]`"},
    {"clusters[].health_check.steps[].",
     "Steps of a probe, each with one of these: `clusters[].health_check.steps[]`"},
};

const Chapter& chapter_of(std::string_view path) {
  const Chapter* best = &kChapters[0];
  for (const Chapter& chapter : kChapters) {
    const bool fits = path.starts_with(chapter.prefix);
    if (fits && chapter.prefix.size() >= best->prefix.size()) best = &chapter;
  }
  return *best;
}

// A bar would end the table's cell.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '|' ? std::string("\\|") : std::string(1, c);
  return out;
}

std::string default_cell(const SchemaRow& row) {
  if (row.is_required) return "*required*";
  return row.default_value.empty() ? "—" : fmt::format("`{}`", row.default_value);
}

}  // namespace

std::string render_reference() {
  std::string out(kIntroduction);
  const Chapter* current = nullptr;
  for (const SchemaRow& row : schema_rows()) {
    const Chapter& chapter = chapter_of(row.path);
    if (&chapter != current) {
      out += fmt::format(
          "{}### {}\n\n| setting | type | default | takes effect | meaning |\n"
          "|---|---|---|---|---|\n",
          current == nullptr ? "" : "\n", chapter.title);
      current = &chapter;
    }
    out += fmt::format("| `{}` | {} | {} | {} | {} |\n", row.path.substr(chapter.prefix.size()),
                       cell(row.type), default_cell(row), row.is_reloadable ? "reload" : "restart",
                       cell(row.help));
  }
  return out;
}

}  // namespace sluice
