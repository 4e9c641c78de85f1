export interface Layout {
  columns: number;
  /** Pixels of one tile. */
  width: number;
  height: number;
}

/** How wide a tile may be to its height, and how tall: portraits only where the screen is one. The picture covers it. */
const widest = 16 / 9;
const tallest = 9 / 16;
const tallestAcross = 1;
/** With more tiles than this a small screen may scroll instead of making them unreadable. */
const mustFit = 6;
const smallest = 132;

/**
 * The arrangement of `count` tiles that shows the most of them: of all numbers of columns the one with the largest
 * tiles. Up to six always fit into width x height; more are at least 132 pixels tall, and the stage scrolls.
 */
export function arrange(count: number, width: number, height: number, gap: number): Layout {
  let best: Layout = { columns: 1, width: 0, height: 0 };
  for (let columns = 1; columns <= Math.max(1, count); columns++) {
    const one = tile(count, columns, width, height, gap);
    if (one.width * one.height > best.width * best.height) best = one;
  }
  if (count > mustFit && best.height < smallest) {
    const columns = Math.max(2, Math.floor((width + gap) / (smallest * 1.25 + gap)));
    best = { columns, width: Math.floor((width - gap * (columns - 1)) / columns), height: smallest };
  }
  return best;
}

function tile(count: number, columns: number, width: number, height: number, gap: number): Layout {
  const rows = Math.ceil(count / columns);
  const w = Math.max(0, (width - gap * (columns - 1)) / columns);
  const h = Math.max(0, (height - gap * (rows - 1)) / rows);
  return { columns, width: Math.floor(Math.min(w, h * widest)), height: Math.floor(Math.min(h, w / (width > height ? tallestAcross : tallest))) };
}
