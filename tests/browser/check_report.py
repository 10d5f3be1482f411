#!/usr/bin/env python3
"""check_report.py TANDEM_COMPARE TANDEM_MODEL TANDEM_REPORT DATA: measures a little, makes a report, and uses it as a
reader does, in a headless browser. Exit code 0, 1 with what failed, or 77 where no browser is installed."""
import copy
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from browser import Browser, find_browser  # noqa: E402

HOSTILE = "</script><img src=x onerror='window.hacked=1'>"
failures = []


def check(condition, sentence, *values):
    if not condition:
        failures.append("%s %s" % (sentence, " ".join(map(repr, values))))


def measure(folder, compare, model, report, data):
    """A report on three files: measured kernels, the same with a wrong row and hostile texts, and a model."""
    files = [os.path.join(folder, name) for name in ("one.json", "two.json", "model.json", "report.html")]
    problems = []
    for size, density in (("32x32x32", 0.1), ("64x64x64", 0.4)):
        problems += ["matmul", "f32:" + size, "spmm", "csr:64x64x64@%s" % density]
    subprocess.run([compare, *problems, "--min-time", "0.002", "--quiet", "--json", files[0]], check=True)
    subprocess.run([model, data + "/digits.safetensors", "--data", data + "/digits_images.npy", "--labels",
                    data + "/digits_labels.npy", "--min-time", "0.002", "--quiet", "--json",
                    files[2]], check=True)
    with open(files[0]) as file:
        first = json.load(file)
    second = copy.deepcopy(first)
    second["machine"]["cpu"] = HOSTILE
    second["statements"] = [{"name": HOSTILE, "text": HOSTILE, "figures": {}}]
    for row in second["rows"]:
        row["label"] = HOSTILE
    wrong = second["rows"][0]
    wrong.update(status="wrong", reason=HOSTILE, samples=0, sample_s=[], median_s=None)
    with open(files[1], "w") as file:
        json.dump(second, file)
    subprocess.run([report, *files[:3], "-o", files[3]], check=True)
    return files[3], first["rows"]


def table(run):
    return "document.querySelectorAll('table.sortable')[%d]" % run


def visible_values(browser, column):
    return browser.run("[...%s.tBodies[0].rows].filter(r => !r.hidden).map(r => r.cells[%d].dataset.v)"
                       ".map(v => v === undefined ? null : Number(v))" % (table(0), column))


def check_opens(browser, rows):
    check(browser.run("document.querySelectorAll('article').length") == 3, "an article a file")
    shown = browser.run("%s.tBodies[0].rows.length" % table(0))
    check(shown == len(rows), "rows in the table, rows in the file:", shown, len(rows))
    texts = browser.run("[...%s.tBodies[0].rows].map(r => r.cells[1].textContent)" % table(0))
    for text, row in zip(texts, rows):
        check(text.startswith(row["kernel"]), "the kernel of a row", text, row["kernel"])
    for picture in ("ceilings-0", "sizes-0", "compression-0", "tradeoff-2"):
        marks = browser.run("document.querySelectorAll('#%s svg .mark').length" % picture)
        check(marks and marks > 2, "a picture with marks in it:", picture, marks)
    check(browser.run("document.querySelectorAll('.alert.bad').length") == 1, "the wrong row is told")
    check(browser.run("window.hacked") is None, "text of a file was run as a script")
    check(browser.run("document.querySelector('#run1 h1').textContent") == HOSTILE, "text is shown as it is")


def check_sorting(browser):
    names = browser.run("[...%s.tHead.rows[0].cells].map(c => c.textContent)" % table(0))
    column = names.index("median")
    head = "%s.tHead.rows[0].cells[%d]" % (table(0), column)
    browser.run("%s.querySelector('button').focus(), 0" % head)
    for order in ("ascending", "descending"):
        browser.press("Enter", 13)
        check(browser.run("%s.getAttribute('aria-sort')" % head) == order, "aria-sort after Enter is not", order)
        values = [value for value in visible_values(browser, column) if value is not None]
        check(len(values) > 5 and values == sorted(values, reverse=order == "descending"), "not sorted", order, values)
        others = browser.run("[...%s.tHead.rows[0].cells].filter(c => c.getAttribute('aria-sort') !== 'none').length" % table(0))
        check(others == 1, "columns that say they are sorted:", others)
    all_values = browser.run("[...%s.tBodies[0].rows].map(r => r.cells[%d].dataset.v !== undefined)" % (table(0), column))
    check(all_values == sorted(all_values, reverse=True), "absent figures are not last")


def check_filter(browser, rows):
    controls = table(0) + ".closest('section').querySelector('.controls')"

    def use(selector, value):
        browser.run("(e => { e.value = %s; e.dispatchEvent(new Event('input', {bubbles: true})); })(%s.querySelector(%s))" %
                    (json.dumps(value), controls, json.dumps(selector)))
        return browser.run("[...%s.tBodies[0].rows].filter(r => r.checkVisibility()).map(r => r.textContent)" % table(0))

    check(len(use("select", "")) == len(rows), "every row is shown when asked for")
    wanted = sum(1 for row in rows if row["kernel"].startswith("cpu.") and "simd" in row["kernel"])
    found = use("input", "cpu. SIMD")
    check(len(found) >= wanted > 0, "rows found by a filter:", len(found), wanted)
    check(all("simd" in text for text in found), "rows that the filter does not mean", found)
    check("%d of %d" % (len(found), len(rows)) in browser.run("%s.querySelector('.count').textContent" % controls),
          "the count of rows that are shown")
    check(use("input", "no such kernel") == [], "rows shown for a kernel that does not exist")
    use("input", "")


def check_details(browser, rows):
    line = "[...%s.tBodies[0].rows].find(r => r.dataset.status === 'ok')" % table(0)
    row = rows[int(browser.run(line + ".dataset.row"))]
    browser.run(line + ".querySelector('.more').click(), 0")
    detail = line + ".nextElementSibling"
    check(browser.run("%s.querySelectorAll('circle').length" % detail) == row["samples"], "a dot a sample")
    check(row["reproduce"] == browser.run("%s.querySelector('code').textContent" % detail), "the command of a row")
    browser.run("%s.querySelector('.command button').click(), 0" % detail)
    text = browser.run("new Promise(done => setTimeout(() => done(%s.querySelector('.command button').textContent), 200))" % detail)
    check(text == "Copied", "the button that copies says", text)
    browser.run(line + ".querySelector('.more').click(), 0")
    check(browser.run("document.querySelectorAll('tr.detail').length") == 0, "details close again")


def check_widths(browser):
    for width in (360, 390, 768, 1280):
        browser.window(width, 800)
        check(browser.run("document.documentElement.scrollWidth") <= width, "the page is wider than the window:", width)
        # What lies in a box that scrolls may be wider.
        outside = browser.run("""[...document.querySelectorAll('body *')].filter(e => e.checkVisibility()
            && !e.closest('.links, .skip') && !(%s && e.closest('.scroll > table')) && e.getBoundingClientRect().right > %d)
            .map(e => e.tagName + '.' + e.className + ' ' + e.textContent.slice(0, 40)).slice(0, 3)""" %
                              ("true" if width > 700 else "false", width + 1))
        check(outside == [], "elements beyond the right edge at width", width, outside)
    small = browser.run("document.querySelectorAll('table.sortable thead')[0].checkVisibility()")
    check(small, "the head of the table is there on a wide window")


def check_colours(browser):
    colours = []
    for dark in (False, True):
        browser.window(1280, 800, dark=dark)
        colours.append(browser.run("getComputedStyle(document.body).backgroundColor"))
    check(colours[0] != colours[1], "light and dark are the same:", colours)


def check_without_scripts(browser, url, rows):
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    browser.open(url)
    shown = browser.run("[...%s.tBodies[0].rows].filter(r => r.checkVisibility()).length" % table(0))
    check(shown == len(rows), "rows shown without scripts:", shown, len(rows))
    browser.call("Emulation.setScriptExecutionDisabled", value=False)


def main():
    path = find_browser()
    if not path:
        print("left out: no Chromium is installed, so the report is not opened in a browser")
        return 77
    with tempfile.TemporaryDirectory(prefix="tandem-report-") as folder:
        page, rows = measure(folder, *sys.argv[1:5])
        url = "file://" + page
        browser = Browser(path)
        try:
            browser.window(1280, 900)
            browser.open(url)
            check_opens(browser, rows)
            check_sorting(browser)
            check_filter(browser, rows)
            check_details(browser, rows)
            check_widths(browser)
            check_colours(browser)
            check(len(browser.call("Page.printToPDF")["data"]) > 10000, "the page prints")
            check(browser.errors() == [], "the console has", browser.errors())
            check(browser.requests() == [url], "requests other than for the page:", browser.requests())
            check_without_scripts(browser, url, rows)
        finally:
            browser.close()
    for failure in failures:
        print("FAILED:", failure)
    if not failures:
        print("passed in", path)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
