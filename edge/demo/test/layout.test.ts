import assert from "node:assert/strict";
import { test } from "node:test";
import { arrange } from "../src/layout.ts";

const screens: [string, number, number][] = [["a phone", 366, 690], ["a phone on its side", 800, 250], ["a desktop", 1240, 660], ["a desktop with a panel", 720, 660]];

for (const [name, width, height] of screens) {
  for (let count = 1; count <= 12; count++) {
    test(`${count} tiles fit ${name}`, () => {
      const { columns, width: w, height: h } = arrange(count, width, height, 12);
      assert.ok(w > 0 && h > 0, `${w} x ${h}`);
      assert.ok(columns * w + (columns - 1) * 12 <= width, "no wider than the stage");
      if (count > 6) return;
      const rows = Math.ceil(count / columns);
      assert.ok(rows * h + (rows - 1) * 12 <= height, "no taller than the stage");
      assert.ok(w / h <= 16 / 9 + 0.02 && w / h >= 9 / 16 - 0.02, `the shape of a picture, not ${w} x ${h}`);
    });
  }
}

test("two tiles stand upon each other on a phone and beside each other on a desktop", () => {
  assert.equal(arrange(2, 366, 690, 12).columns, 1);
  assert.equal(arrange(2, 1240, 660, 12).columns, 2);
});

test("over six tiles are never too small to be seen; the stage scrolls", () => {
  assert.ok(arrange(12, 366, 300, 12).height >= 132);
});
