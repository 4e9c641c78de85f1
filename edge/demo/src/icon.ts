const svg = "http://www.w3.org/2000/svg";

export type IconName =
  | "mic" | "mic-off" | "camera" | "camera-off" | "chat" | "signals" | "cut" | "reconnect" | "leave" | "link" | "close"
  | "check" | "shuffle" | "pause" | "play" | "send" | "copy" | "alert";

/** Strokes of a 24 x 24 grid, drawn for this page. */
const paths: Readonly<Record<IconName, readonly string[]>> = {
  mic: ["M12 3.5a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0v-5a3 3 0 0 1 3-3z", "M5.5 11.5a6.5 6.5 0 0 0 13 0", "M12 18v3"],
  "mic-off": ["M9 9.5v2a3 3 0 0 0 5 2.2", "M15 10.5v-4a3 3 0 0 0-5.8-1", "M5.5 11.5a6.5 6.5 0 0 0 10.4 5.2", "M18.5 11.5a6.5 6.5 0 0 1-.6 2.7", "M12 18v3", "M4 4l16 16"],
  camera: ["M3.5 8.5a2 2 0 0 1 2-2h7a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2h-7a2 2 0 0 1-2-2z", "M14.5 11l6-3.5v9l-6-3.5"],
  "camera-off": ["M9 6.5h3.5a2 2 0 0 1 2 2v3l6-3.5v8.5", "M14.3 16.5a2 2 0 0 1-1.8 1h-7a2 2 0 0 1-2-2v-7a2 2 0 0 1 1.5-1.9", "M4 4l16 16"],
  chat: ["M4 7a2.5 2.5 0 0 1 2.5-2.5h11A2.5 2.5 0 0 1 20 7v7a2.5 2.5 0 0 1-2.5 2.5H11L6.5 20v-3.5A2.5 2.5 0 0 1 4 14z"],
  signals: ["M4 8h13", "M14 5l3 3-3 3", "M20 16H7", "M10 13l-3 3 3 3"],
  cut: ["M12 11.6v.8", "M8.6 8.6a4.8 4.8 0 0 0 0 6.8", "M15.4 8.6a4.8 4.8 0 0 1 1 5.2", "M5.6 5.8a8.8 8.8 0 0 0 0 12.4", "M18.4 5.8a8.8 8.8 0 0 1 1.4 10.6", "M4 3.5l16.5 16.5"],
  reconnect: ["M12 11.6v.8", "M8.6 8.6a4.8 4.8 0 0 0 0 6.8", "M15.4 8.6a4.8 4.8 0 0 1 0 6.8", "M5.6 5.8a8.8 8.8 0 0 0 0 12.4", "M18.4 5.8a8.8 8.8 0 0 1 0 12.4"],
  leave: ["M2.9 14.8c-.6-4.9 3.7-7.8 9.1-7.8s9.7 2.9 9.1 7.8c-.1.7-.7 1.1-1.4 1l-3.1-.7c-.6-.1-1-.6-1-1.2v-2.2a11.6 11.6 0 0 0-7.2 0v2.2c0 .6-.4 1.1-1 1.2l-3.1.7c-.7.1-1.3-.3-1.4-1z"],
  link: ["M10 14a4 4 0 0 0 5.7 0l3-3A4 4 0 0 0 13 5.3l-1 1", "M14 10a4 4 0 0 0-5.7 0l-3 3A4 4 0 0 0 11 18.7l1-1"],
  close: ["M6 6l12 12", "M18 6L6 18"],
  check: ["M5 12.5l4.5 4.5L19 7.5"],
  shuffle: ["M4 7h3.5c4.5 0 4.5 10 9 10H20", "M4 17h3.5c1.3 0 2.2-.9 2.9-2", "M13.5 9c.7-1.1 1.6-2 3-2H20", "M17.5 4.5L20 7l-2.5 2.5", "M17.5 14.5L20 17l-2.5 2.5"],
  pause: ["M9 6v12", "M15 6v12"],
  play: ["M8 5.5l10 6.5-10 6.5z"],
  send: ["M4 12h15", "M13 6l6 6-6 6"],
  copy: ["M9 9h9a1.5 1.5 0 0 1 1.5 1.5V19A1.5 1.5 0 0 1 18 20.5h-7.5A1.5 1.5 0 0 1 9 19z", "M15 9V5A1.5 1.5 0 0 0 13.5 3.5H6A1.5 1.5 0 0 0 4.5 5v8.5A1.5 1.5 0 0 0 6 15h3"],
  alert: ["M12 4l9 16H3z", "M12 10v4.5", "M12 17.3v.2"],
};


/** An icon beside or inside something that has a name of its own: assistive technology doesn't see it. */
export function icon(name: IconName): SVGSVGElement {
  const element = document.createElementNS(svg, "svg");
  for (const [key, value] of Object.entries({ viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true", focusable: "false" })) {
    element.setAttribute(key, value);
  }
  for (const d of paths[name]) {
    const path = document.createElementNS(svg, "path");
    path.setAttribute("d", d);
    element.append(path);
  }
  return element;
}

/** The mark of Parley: two voices that meet, and what they have in common. */
export function mark(): SVGSVGElement {
  const element = document.createElementNS(svg, "svg");
  for (const [key, value] of Object.entries({ viewBox: "4 4 24 24", class: "mark", "aria-hidden": "true", focusable: "false" })) {
    element.setAttribute(key, value);
  }
  const shapes: [string, string][] = [
    ["one", "M5.5 12.5a7 7 0 0 1 7-7h1a7 7 0 0 1 7 7a7 7 0 0 1-7 7h-8z"],
    ["other", "M26.5 19.5a7 7 0 0 1-7 7h-1a7 7 0 0 1-7-7a7 7 0 0 1 7-7h8z"],
    ["both", "M11.5 19.5a7 7 0 0 1 7-7h2a7 7 0 0 1-7 7z"],
  ];
  for (const [name, d] of shapes) {
    const path = document.createElementNS(svg, "path");
    path.setAttribute("d", d);
    path.setAttribute("class", name);
    element.append(path);
  }
  return element;
}
