#!/usr/bin/env python3
"""picture.py report.html out.png [width] [height] [dark] [selector]: what a browser shows of a page."""
import os
import sys

from browser import Browser, find_browser


def main():
    page, out, width, height = sys.argv[1], sys.argv[2], int((sys.argv[3:4] or [1280])[0]), int((sys.argv[4:5] or [900])[0])
    rest = sys.argv[5:]
    path = find_browser()
    if not path:
        sys.exit("picture.py: no Chromium is installed")
    browser = Browser(path)
    try:
        browser.window(width, height, dark="dark" in rest)
        browser.open("file://" + os.path.abspath(page))
        selectors = [word for word in rest if word != "dark"]
        if selectors:
            browser.run("document.querySelector(%r).scrollIntoView({behavior: 'instant'}), 0" % selectors[0])
        browser.screenshot(out)
    finally:
        browser.close()


if __name__ == "__main__":
    main()
