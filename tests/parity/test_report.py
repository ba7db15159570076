#!/usr/bin/env python3
"""The report page as Python's HTML parser and XML parser see it."""
import base64
import hashlib
import os
import re
import subprocess
import sys
import tempfile
from html.parser import HTMLParser
from xml.etree import ElementTree

NAMES = [
    "<script>alert(1)</script>",
    '" onload="alert(2)',
    "</svg><img src=x>",
    "&amp; 'quoted' \u732b",
]
VOID = {"meta", "img"}
SVG = "{http://www.w3.org/2000/svg}"
tests = []


class Page(HTMLParser):
    """Collects elements, attributes and text, and what is not closed in order."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.stack, self.faults, self.tags, self.attributes, self.text = [], [], [], [], {}

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attributes]
        if len({name for name, _ in attributes}) != len(attributes):
            self.faults.append("an attribute of <%s> twice" % tag)
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag):
        if not self.stack or self.stack.pop() != tag:
            self.faults.append("</%s> at %s" % (tag, self.getpos()))

    def handle_data(self, data):
        self.text.setdefault(self.stack[-1] if self.stack else "", []).append(data)

    def handle_comment(self, data):
        self.faults.append("comment " + data)


def check(name, passed, detail=""):
    tests.append(passed)
    print("%sok %d - %s" % ("" if passed else "not ", len(tests), name))
    if not passed:
        print("# " + str(detail)[:500].replace("\n", "\n# "))


def main():
    program = os.path.join(os.environ["LP_TESTS"], "draw_report")
    with tempfile.TemporaryDirectory() as folder:
        pages = []
        for name in ("a.html", "b.html"):
            path = os.path.join(folder, name)
            subprocess.run([program, path], check=True)
            with open(path, "rb") as file:
                pages.append(file.read())
        failed = subprocess.run([program, os.path.join(folder, "none", "a.html")], capture_output=True)
        left = os.listdir(folder)
        fonts = os.path.join(folder, "fonts.conf")
        with open(fonts, "w") as file:
            file.write("<fontconfig></fontconfig>\n")
        bare = subprocess.run([program, os.path.join(folder, "c.html")], capture_output=True,
                              env=dict(os.environ, FONTCONFIG_FILE=fonts))
        there = os.path.exists(os.path.join(folder, "c.html"))
    check("the same report is the same bytes", pages[0] == pages[1])
    check("an unwritable path is reported", failed.returncode == 1
          and b"none/a.html: cannot be created: No such file or directory" in failed.stderr, failed)
    check("no temporary file is left", sorted(left) == ["a.html", "b.html"], left)

    check("it is drawn without any font installed", bare.returncode == 0 and there, bare)

    source = pages[0].decode("utf-8")
    page = Page()
    page.feed(source)
    page.close()
    check("it begins as HTML5", source.startswith("<!DOCTYPE html>\n<html lang=\"en\">"))
    check("elements are closed in order", not page.faults and not page.stack, (page.faults, page.stack))
    check("there is one of each part", all(page.tags.count(tag) == 1 for tag in
          ("html", "head", "body", "h1", "nav", "img")) and page.tags.count("svg") == 3, page.tags)

    script = re.findall(r"<script>(.*?)</script>", source, re.S)
    digest = base64.b64encode(hashlib.sha256(script[0].encode()).digest()).decode()
    check("one script, and the policy lets it alone run", page.tags.count("script") == 1 and
          "script-src 'sha256-%s'" % digest in source)
    check("nothing else runs", not {"iframe", "object", "embed", "link", "foreignobject", "base"}
          & set(page.tags), set(page.tags))
    check("no attribute runs", not [a for a in page.attributes if a[1].startswith("on")])
    references = [a for a in page.attributes if a[1] in ("src", "href", "xlink:href", "action", "srcset")]
    outside = [a for a in references if not a[2].startswith(("#", "data:image/png;base64,"))]
    check("nothing is fetched", len(references) > 50 and not outside, outside)
    urls = re.findall(r"url\(([^)]*)\)", source) + re.findall(r"@import", source)
    check("no style fetches", all(url.startswith("#") for url in urls), urls)
    addresses = set(re.findall(r"[a-z]+://[^\"' <]*", source))
    check("the only addresses are names of namespaces", addresses ==
          {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}, addresses)
    policy = [value for tag, name, value in page.attributes if tag == "meta" and name == "content"]
    check("a policy forbids the rest", any("default-src 'none'" in value for value in policy), policy)

    ids = [value for _, name, value in page.attributes if name == "id"]
    check("ids are unique", len(ids) > 50 and len(set(ids)) == len(ids))
    wanted = {value[1:] for _, _, value in references if value.startswith("#")}
    check("every reference has its id", wanted <= set(ids), wanted - set(ids))

    for tag in ("h2", "p"):
        check("names arrive as text in <%s>" % tag, page.text[tag] == NAMES, page.text.get(tag))
    check("the title arrives as text", page.text["h1"] == [NAMES[0]] and page.text["title"][0] == NAMES[0])
    cells = page.text["td"]
    check("cells hold names and numbers", cells[:9] == [NAMES[0], "100", "0.00", NAMES[1], "101", "12.35",
          NAMES[2], "102", "24.69"] and cells[12:15] == ["no value", "–", "–"], cells[:16])
    check("settings are flattened", {"solver", "C (inverse of the regularisation strength)",
          "fit", "fit › deep", "exact", "shape", NAMES[2]} <=
          set(page.text["th"]) and "50000, 512" in cells and "0.316" in cells, page.text["th"])
    numbers = re.findall(r"<td class=\"n\">([^<]*)</td>", source)
    check("numbers stand to the right", numbers == ["100", "0.00", "101", "12.35", "102", "24.69", "103",
          "37.04", "–", "–"], numbers)

    pictures = re.findall(r"<svg .*?</svg>", source, re.S)
    roots = [ElementTree.fromstring(picture) for picture in pictures]
    check("three charts are well-formed XML", len(roots) == 3)
    check("charts have titles", [root.findtext(SVG + "title") for root in roots] ==
          [NAMES[2], NAMES[0], NAMES[1]])
    described = "".join(root.findtext(SVG + "desc") for root in roots)
    check("charts say their names", all(name in described for name in NAMES), described)
    image = [a[2] for a in references if a[0] == "img"][0]
    data = base64.b64decode(image.split(",", 1)[1], validate=True)
    check("an image of the sheet is a PNG", data.startswith(b"\x89PNG\r\n\x1a\n") and data.endswith(b"IEND\xaeB`\x82"))
    print("1..%d" % len(tests))
    return 0 if all(tests) else 1


if __name__ == "__main__":
    sys.exit(main())
