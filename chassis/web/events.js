// Shows every event type of the AsyncAPI document: what happened, when, who may hear it, its data, a real example.
"use strict";

const SOURCE = "/docs/events/asyncapi.json";
const ABOUT = "x-chitieu";

function made(name, text = "", attributes = {}) {
  const element = document.createElement(name);
  element.textContent = text;
  for (const [key, value] of Object.entries(attributes)) {
    element.setAttribute(key, value);
  }
  return element;
}

function both(words) {
  const paragraph = made("p", words.vi);
  paragraph.append(" ", made("span", words.en, { lang: "en" }));
  return paragraph;
}

// A schema with what it refers to in its place; null is taken out of the kinds and remembered.
function plain(schema, schemas) {
  const { $ref, anyOf, ...own } = schema;
  if ($ref) {
    const name = $ref.split("/").pop();
    return { ...plain(schemas[name], schemas), ...own, name };
  }
  if (!anyOf) {
    return own;
  }
  const kinds = anyOf.map((each) => plain(each, schemas));
  const others = kinds.filter((each) => each.type !== "null");
  const first = others.length === 1 ? others[0] : { type: others.map((each) => each.type).join(" | ") };
  return { ...first, ...own, isNullable: others.length < kinds.length };
}

// One row per field, in the order of the schema; a part that was shown before is only named.
function* fields(schema, schemas, path, seen) {
  const required = new Set(schema.required ?? []);
  for (const [name, raw] of Object.entries(schema.properties ?? {})) {
    const field = plain(raw, schemas);
    const inner = field.type === "array" ? plain(field.items, schemas) : field;
    const place = path + name + (field.type === "array" ? "[]" : "");
    const before = inner.properties && inner.name ? seen.get(inner.name) : undefined;
    yield { place, field, inner, before, isRequired: required.has(name) };
    if (inner.properties && !before) {
      seen.set(inner.name, place);
      yield* fields(inner, schemas, `${place}.`, seen);
    }
  }
}

function kind({ field, inner, before }) {
  const said = before ? `như ${before}` : (inner.const ?? inner.format ?? inner.type);
  const many = field.type === "array" ? `${said}[]` : said;
  return field.isNullable ? `${many}, null` : many;
}

function meaning({ field, inner, isRequired }) {
  const labels = inner["x-labels-vi"] ?? inner["x-known-values-vi"] ?? {};
  const codes = Object.entries(labels).map(([code, label]) => `${code}: ${label}`);
  const open = inner["x-known-values-vi"] ? ["có thể thêm mã khác"] : [];
  return [
    isRequired ? "" : "Có thể vắng.",
    field.description ?? "",
    codes.length ? `${[...codes, ...open].join("; ")}.` : "",
  ].filter(Boolean).join(" ");
}

function table(schema, schemas) {
  const head = made("tr");
  head.append(...["Trường", "Tên", "Kiểu", "Ý nghĩa"].map((title) => made("th", title, { scope: "col" })));
  const rows = [...fields(schema, schemas, "", new Map())].map((row) => {
    const line = made("tr");
    const place = made("td");
    place.append(made("code", row.place));
    line.append(place, made("td", row.field.title ?? ""), made("td", kind(row)), made("td", meaning(row)));
    return line;
  });
  const whole = made("table");
  whole.append(head, ...rows);
  return whole;
}

function details(summary, content, isOpen) {
  const element = made("details", "", isOpen ? { open: "" } : {});
  element.append(made("summary", summary), content);
  return element;
}

function shown(name, message, schemas) {
  const about = message[ABOUT];
  const section = made("section", "", { class: "type", id: name, "data-type": name });
  const title = made("h3", about.title.vi);
  title.append(" ", made("small", about.title.en, { lang: "en" }));
  const facts = made("dl");
  for (const [label, words] of [["Khi nào", about.when], ["Đối tượng (subject)", about.subject], ["Ai nghe", about.audience]]) {
    const value = made("dd");
    value.append(both(words));
    facts.append(made("dt", label), value);
  }
  const schema = made("p", "JSON Schema: ");
  schema.append(made("a", about.dataschema, { href: `/v1/${about.service}/event-schemas/${name}` }));
  const [example] = message.examples;
  section.append(
    title,
    made("code", name),
    facts,
    schema,
    details("Dữ liệu (data)", table(plain(schemas[`${name}.data`], schemas), schemas), false),
    details("Ví dụ thật", made("pre", JSON.stringify(example.payload, null, 2)), false),
  );
  return section;
}

function contents(names) {
  const list = made("ul", "", { class: "contents" });
  list.append(
    ...names.map((name) => {
      const item = made("li");
      item.append(made("a", name, { href: `#${name}` }));
      return item;
    }),
  );
  return list;
}

async function start() {
  const status = document.getElementById("status");
  status.textContent = "Đang đọc …";
  try {
    const answer = await fetch(SOURCE, { headers: { Accept: "application/json" } });
    const body = await answer.json();
    if (!answer.ok) {
      throw new Error(body.detail ?? answer.statusText);
    }
    const types = Object.entries(body.components.messages).filter(([, message]) => ABOUT in message);
    const away = body.info[ABOUT]?.away ?? [];
    status.textContent =
      `${types.length} loại sự kiện.` + (away.length ? ` Chưa hỏi được dịch vụ: ${away.join(", ")}.` : "");
    document
      .getElementById("catalogue")
      .append(contents(types.map(([name]) => name)), ...types.map(([name, it]) => shown(name, it, body.components.schemas)));
    if (window.location.hash) {
      document.getElementById(window.location.hash.slice(1))?.scrollIntoView();
    }
  } catch (error) {
    status.textContent = `Không đọc được danh mục sự kiện: ${error.message}`;
  }
}

start();
