"use strict";
/* The risk of one patient, computed as rnetstats' RiskModel.predict(outside="flag") does in Python.
   The model's numbers stand in the element #numbers, as JSON. For programs and tests:
   window.rnetstats.predict({column: value, ...}) returns {risk, conf_low, conf_high, in_domain,
   reason}; a missing value is null, a risk that is refused too. */
(function () {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const model = read("numbers");
  const words = read("words");

  // ---- numbers and texts as Python writes them --------------------------------------------------

  /* The p significant digits of x and its decimal exponent, halves to the even digit. */
  function digitsOf(x, p) {
    const size = Math.abs(x);
    const [mantissa, exponent] = size.toExponential(p - 1).split("e");
    const [long, power] = size.toExponential(99).split("e");
    const all = long.replace(".", "");
    if (/^50*$/.test(all.slice(p)) && "02468".includes(all[p - 1])) {
      return { digits: all.slice(0, p), exponent: Number(power) };
    }
    return { digits: mantissa.replace(".", ""), exponent: Number(exponent) };
  }

  function placed(sign, digits, exponent, largest) {
    if (exponent < -4 || exponent >= largest) {
      const rest = digits.slice(1).replace(/0+$/, "");
      const power = String(Math.abs(exponent)).padStart(2, "0");
      return sign + digits[0] + (rest ? "." + rest : "") + "e" + (exponent < 0 ? "-" : "+") + power;
    }
    if (exponent < 0) return (sign + "0." + "0".repeat(-exponent - 1) + digits).replace(/\.?0+$/, "");
    const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, "0");
    const rest = digits.slice(exponent + 1).replace(/0+$/, "");
    return sign + whole + (rest ? "." + rest : "");
  }

  const signOf = (x) => (x < 0 || Object.is(x, -0) ? "-" : "");

  /* f"{x:.{p}g}" */
  function general(x, p) {
    if (x === 0) return signOf(x) + "0";
    const { digits, exponent } = digitsOf(x, p);
    return placed(signOf(x), digits, exponent, p);
  }

  /* A level as text: whole numbers without a decimal point, others as repr() writes them. */
  function levelText(value) {
    if (typeof value === "string") return value;
    if (Number.isInteger(value)) return BigInt(value).toString();
    const [mantissa, exponent] = Math.abs(value).toExponential().split("e");
    return placed(signOf(value), mantissa.replace(".", ""), Number(exponent), 16);
  }

  /* repr() of a level. */
  function quoted(value) {
    if (typeof value !== "string") return levelText(value);
    const mark = value.includes("'") && !value.includes('"') ? '"' : "'";
    const short = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };
    let text = "";
    for (const letter of value) {
      const code = letter.codePointAt(0);
      if (short[letter]) text += short[letter];
      else if (letter === mark) text += "\\" + letter;
      else if (letter !== " " && /[\p{C}\p{Z}]/u.test(letter)) {
        const [lead, width] = code < 256 ? ["\\x", 2] : code < 65536 ? ["\\u", 4] : ["\\U", 8];
        text += lead + code.toString(16).padStart(width, "0");
      } else text += letter;
    }
    return mark + text + mark;
  }

  // ---- the patient beside the model's domain ----------------------------------------------------

  /* The patient's values by column; a missing one is null. Refuses what is neither. */
  function valuesOf(patient) {
    const values = new Map();
    for (const variable of model.variables) {
      const name = variable.name;
      let value = Object.prototype.hasOwnProperty.call(patient, name) ? patient[name] : null;
      if (typeof value === "boolean") value = Number(value);
      if (value === undefined || Number.isNaN(value)) value = null;
      if (value !== null) {
        if (typeof value === "number" && !Number.isFinite(value)) {
          throw new Error(name + " is infinite.");
        }
        if (typeof value === "string" && !value.trim()) throw new Error(name + " is blank.");
        if (typeof value !== "number" && typeof value !== "string") {
          throw new Error(name + " is neither a number nor a text.");
        }
        if (variable.number && typeof value !== "number") {
          throw new Error(name + " must be a number, not " + quoted(value) + ".");
        }
      }
      values.set(name, value);
    }
    return values;
  }

  function compareNumber(variable, value) {
    if (variable.low === undefined) return "";
    const shown = general(value, 10);
    if (value < variable.low || value > variable.high) {
      const range = general(variable.low, 10) + " to " + general(variable.high, 10);
      return " is " + shown + ", outside " + range;
    }
    const between = value > variable.low && value < variable.high;
    if (variable.values.length && between && !variable.values.includes(value)) {
      return " is " + shown + "; the model knows " + variable.known;
    }
    return "";
  }

  function compareLevel(variable, value) {
    if (variable.values.includes(value)) return "";
    return " is " + quoted(value) + ", unknown to the model (" + variable.known + ")";
  }

  const told = (reasons) => reasons.map((reason) => reason.name + reason.text).join("; ");

  /* Why the patient lies outside: reasons, each with the variable's name and what is said of it. */
  function examine(values) {
    const reasons = [];
    let blocked = false;
    for (const variable of model.variables) {
      const value = values.get(variable.name);
      let text = "";
      if (value === null) text = " is missing";
      else if (variable.stratum) continue;
      else text = variable.number ? compareNumber(variable, value) : compareLevel(variable, value);
      if (text) reasons.push({ name: variable.name, text });
      blocked = blocked || (text !== "" && (value === null || !variable.number));
    }
    return { reasons, blocked };
  }

  function stratumOf(values) {
    const columns = model.baseline.columns;
    if (!columns.length) return 0;
    const parts = columns.map((name) => levelText(values.get(name)));
    const label =
      columns.length === 1 ? parts[0] : columns.map((name, i) => name + "=" + parts[i]).join(", ");
    const place = model.baseline.labels.indexOf(label);
    if (place >= 0) return place;
    return {
      name: "the stratum " + quoted(label),
      text: " has no baseline hazard; known are " + model.baseline.labels.join(", "),
    };
  }

  // ---- the design: from values to the columns of the model --------------------------------------

  function source(part, values) {
    const value = values.get(part.column);
    if (!part.log) return value;
    if (value <= 0) {
      throw new Error(part.column + " is " + general(value, 10) + ", which has no logarithm.");
    }
    return Math.log(value);
  }

  const COMPARE = {
    "==": (a, b) => a === b,
    "!=": (a, b) => a !== b,
    "<": (a, b) => a < b,
    "<=": (a, b) => a <= b,
    ">": (a, b) => a > b,
    ">=": (a, b) => a >= b,
  };

  function splineColumns(part, x) {
    let piece = 0;
    while (piece < part.knots.length && x >= part.knots[piece]) piece += 1;
    const u = (x - part.begins[piece]) / part.widths[piece];
    const [c0, c1, c2, c3] = part.pieces[piece];
    return c0.map((c, j) => c + u * (c1[j] + u * (c2[j] + u * c3[j])));
  }

  function encode(part, values) {
    if (part.kind === "factor") {
      return part.levels.slice(1).map((level) => (values.get(part.column) === level ? 1 : 0));
    }
    if (part.kind === "condition") {
      return [COMPARE[part.operator](values.get(part.column), part.literal) ? 1 : 0];
    }
    const x = source(part, values);
    return part.kind === "spline" ? splineColumns(part, x) : [x];
  }

  /* One row of the design; in an interaction the first part runs fastest. */
  function designRow(values) {
    const blocks = model.encoders.map((part) => encode(part, values));
    const row = model.intercept ? [1] : [];
    for (const places of model.terms) {
      let block = blocks[places[0]];
      for (const place of places.slice(1)) {
        block = blocks[place].flatMap((slow) => block.map((fast) => slow * fast));
      }
      row.push(...block);
    }
    return row;
  }

  const dot = (a, b) => a.reduce((total, value, i) => total + value * b[i], 0);
  const quadratic = (x, matrix) => dot(x, matrix.map((row) => dot(row, x)));

  function leverageReason(row) {
    if (model.leverage === null) return null;
    const x = row.length === model.leverage.inverse.length ? row : [1, ...row];
    const value = quadratic(x, model.leverage.inverse);
    if (!(value > model.leverage.beyond)) return null;
    return {
      name: "",
      text:
        "no patient of the model has such values together (leverage " + general(value, 3) +
        ", the largest of the model's " + model.leverage.shown + ")",
    };
  }

  // ---- the risk and its limits ------------------------------------------------------------------

  const expit = (eta) => 1 / (1 + Math.exp(-eta));
  const ofHazard = (hazard) => -Math.expm1(-hazard);

  function unpacked(block) {
    if (block === null) return null;
    const bytes = Uint8Array.from(atob(block.data), (letter) => letter.charCodeAt(0));
    const view = new DataView(bytes.buffer);
    const rows = [];
    for (let i = 0; i < block.rows; i += 1) {
      const row = [];
      for (let j = 0; j < block.columns; j += 1) {
        row.push(view.getFloat64(8 * (i * block.columns + j), true));
      }
      rows.push(row);
    }
    return rows;
  }

  const draws = unpacked(model.draws);
  const drawHazard = unpacked(model.draw_hazard);

  /* A quantile by linear interpolation of order statistics (type 7). */
  function quantile(sorted, share) {
    const place = share * (sorted.length - 1);
    const below = Math.floor(place);
    const low = sorted[below];
    const high = sorted[Math.min(below + 1, sorted.length - 1)];
    return low + (place - below) * (high - low);
  }

  function riskAt(x, offset, stratum, coef, hazard) {
    const eta = dot(x, coef) + offset;
    return model.baseline === null ? expit(eta) : ofHazard(hazard[stratum] * Math.exp(eta));
  }

  function limitsOf(x, offset, stratum) {
    const base = model.baseline;
    if (draws !== null) {
      const risks = draws.map((coef, i) =>
        riskAt(x, offset, stratum, coef, drawHazard === null ? null : drawHazard[i]));
      if (risks.some(Number.isNaN)) return [null, null];
      risks.sort((a, b) => a - b);
      const outer = 0.5 * (1 - model.level);
      return [quantile(risks, outer), quantile(risks, 1 - outer)];
    }
    if (model.covariance === null) return [null, null];
    const eta = dot(x, model.coef) + offset;
    if (base === null) {
      const error = Math.sqrt(quadratic(x, model.covariance));
      return [-model.z, model.z].map((z) => expit(eta + z * error));
    }
    if (base.variance === null) return [null, null];
    const unit = base.hazard[stratum];
    const drift = base.mean_hazard[stratum].map((mean, j) => mean - x[j] * unit);
    const error = Math.sqrt(base.variance[stratum] + quadratic(drift, model.covariance)) / unit;
    const log = Math.log(unit) + eta;
    return [-model.z, model.z].map((z) => ofHazard(Math.exp(log + z * error)));
  }

  /* Why the risk of a patient has no limits: the stratum, or the last level with too few events. */
  function withoutLimits(row, stratum) {
    const bare = model.baseline === null ? "" : model.baseline.bare[stratum];
    if (bare) return [{ name: "", text: bare }];
    const at = (level) => level.place < 0
      ? row.slice(level.start, level.stop).every((value) => value === 0)
      : row[level.start + level.place] === 1;
    const found = model.thin.filter(at).pop();
    return found === undefined ? [] : [{ name: "", text: found.text }];
  }

  const refused = (reasons) => ({
    risk: null, conf_low: null, conf_high: null, in_domain: false, reasons,
  });

  function assess(patient) {
    const values = valuesOf(patient);
    const { reasons, blocked } = examine(values);
    let stratum = 0;
    if (model.baseline !== null && !blocked) {
      stratum = stratumOf(values);
      if (typeof stratum === "object") reasons.push(stratum);
    }
    if (reasons.length) return refused(reasons);
    const row = designRow(values);
    const beyond = leverageReason(row);
    if (beyond) return refused([beyond]);
    const centre = model.baseline === null ? null : model.baseline.centre;
    const x = centre === null ? row : row.map((value, j) => value - centre[j]);
    const offset = model.offsets.reduce((total, part) => total + source(part, values), 0);
    const hazard = model.baseline === null ? null : model.baseline.hazard;
    const risk = riskAt(x, offset, stratum, model.coef, hazard);
    const lacking = withoutLimits(row, stratum);
    const [low, high] = lacking.length ? [null, null] : limitsOf(x, offset, stratum);
    return { risk, conf_low: low, conf_high: high, in_domain: true, reasons: lacking };
  }

  function predict(patient) {
    const { reasons, ...found } = assess(patient);
    return { ...found, reason: told(reasons) };
  }

  window.rnetstats = Object.freeze({ predict, columns: model.variables.map((v) => v.name) });

  // ---- the form ---------------------------------------------------------------------------------

  const form = document.getElementById("patient");
  const answer = document.getElementById("answer");
  const status = document.getElementById("status");
  const fields = [...form.querySelectorAll("[data-field]")];
  let asked = false;
  let speaking = 0;

  const labelOf = (name) => {
    const found = words.labels.find(([column]) => column === name);
    return found ? found[1] : name;
  };

  const NUMBER = /^[+-]?(\d+([.,]\d*)?|[.,]\d+)$/;

  /* A number as it was typed, with a point or a comma; or what is wrong with it. */
  function typed(text) {
    const plain = text.trim().replace(/\u2212/g, "-");
    if (!plain) return { value: null };
    if (!NUMBER.test(plain)) return { value: null, wrong: "Write a number, such as 12.5." };
    if (/^[+-]?[1-9]\d{0,2},\d{3}$/.test(plain)) {
      const parts = plain.split(",");
      return {
        value: null,
        wrong: "Is this " + parts.join("") + " or " + parts.join(".") + "? Write it without a comma.",
      };
    }
    return { value: Number(plain.replace(",", ".")) };
  }

  /* The value of a field, of one variable or of the strata's several: [[column, value], ...]. */
  function valueOf(field) {
    if (field.dataset.kind === "number") {
      const { value, wrong } = typed(field.querySelector("input").value);
      return { pairs: [[model.variables[field.dataset.place].name, value]], wrong };
    }
    const chosen = field.querySelector("input:checked") || field.querySelector("select");
    const place = chosen === null || chosen.value === "" ? null : Number(chosen.value);
    if (field.dataset.kind === "strata") {
      const parts = place === null ? null : model.baseline.parts[place];
      return { pairs: model.baseline.columns.map((name, i) => [name, parts && parts[i]]) };
    }
    const variable = model.variables[field.dataset.place];
    return { pairs: [[variable.name, place === null ? null : variable.values[place]]] };
  }

  function collect() {
    const patient = Object.create(null);
    const empty = [];
    let wrong = false;
    for (const field of fields) {
      const found = valueOf(field);
      for (const [name, value] of found.pairs) patient[name] = value;
      const missing = found.pairs.some(([, value]) => value === null);
      if (found.wrong) wrong = true;
      else if (missing) empty.push(field);
      mark(field, found.wrong || outsideText(found.pairs) || (missing && asked ? "Still to fill in." : ""));
    }
    return { patient, empty, wrong };
  }

  function outsideText(pairs) {
    const [name, value] = pairs[0];
    const variable = model.variables.find((about) => about.name === name);
    if (value === null || !variable.number) return "";
    return compareNumber(variable, value) ? "Outside the model's patients." : "";
  }

  function mark(field, text) {
    field.classList.toggle("bad", text !== "");
    const shown = field.querySelector(".wrong");
    if (shown.textContent !== text) shown.textContent = text;
    const inputs = field.querySelectorAll("input, select");
    for (const input of inputs) input.setAttribute("aria-invalid", text ? "true" : "false");
  }

  // ---- the answer -------------------------------------------------------------------------------

  function element(tag, className, text) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  const SPACE = "\u00a0";

  function percent(risk) {
    if (risk > 0 && risk < 0.0005) return "below 0.1" + SPACE + "%";
    if (risk < 1 && risk >= 0.9995) return "above 99.9" + SPACE + "%";
    return (100 * risk).toFixed(1) + SPACE + "%";
  }

  function ofHundred(risk) {
    const count = Math.round(100 * risk);
    if (count === 0 && risk > 0) return "fewer than 1 has";
    if (count === 100 && risk < 1) return "more than 99 have";
    return "about " + count + (count === 1 ? " has" : " have");
  }

  function dots(found) {
    const box = element("div", "dots");
    box.setAttribute("aria-hidden", "true");
    const count = Math.round(100 * found.risk);
    const high = found.conf_high === null ? count : Math.round(100 * found.conf_high);
    for (let i = 0; i < 100; i += 1) {
      box.append(element("span", i < count ? "dark" : i < high ? "pale" : ""));
    }
    return box;
  }

  function showRisk(found) {
    const parts = [element("p", "what", words.question)];
    parts.push(element("p", "risk", percent(found.risk)));
    const hundred =
      "Of 100 patients like this one, " + ofHundred(found.risk) + " the outcome: " + words.outcome + ".";
    const why = told(found.reasons);
    let limits = why ? why[0].toUpperCase() + why.slice(1) : words.no_limits;
    if (found.conf_low !== null) {
      limits = words.level + " limits: " + percent(found.conf_low) + " to " + percent(found.conf_high);
    }
    parts.push(element("p", "limits", limits), element("p", "hundred", hundred), dots(found));
    if (found.conf_low !== null) parts.push(element("p", "key", words.key));
    parts.push(element("p", "only", words.only));
    answer.className = "given";
    answer.replaceChildren(...parts);
    say(words.question + ": " + percent(found.risk) + ". " + limits + ". " + hundred);
  }

  function showRefusal(reasons, message) {
    const list = element("ul");
    for (const reason of reasons) {
      list.append(element("li", "", (reason.name ? labelOf(reason.name) : "") + reason.text));
    }
    if (message) list.append(element("li", "", message));
    answer.className = "refused";
    answer.replaceChildren(
      element("p", "what", "No risk is given"),
      element("p", "", "The model was not made for such a patient:"),
      list,
      element("p", "key", words.refusal),
    );
    say("No risk is given. " + list.textContent);
  }

  function showWaiting(empty, wrong) {
    const names = empty.map((field) => field.dataset.label).join(", ");
    const all = empty.length === fields.length;
    const left = wrong ? "A value cannot be read." : "Still to fill in: " + names + ".";
    answer.className = "waiting";
    answer.replaceChildren(
      element("p", "", all && !wrong ? "Fill in every value; the risk appears here." : left));
    say("");
  }

  /* Speak to a screen reader once the typing has paused. */
  function say(text) {
    clearTimeout(speaking);
    speaking = setTimeout(() => {
      if (status.textContent !== text) status.textContent = text;
    }, 700);
  }

  function update() {
    const { patient, empty, wrong } = collect();
    if (empty.length || wrong) {
      showWaiting(empty, wrong);
      return;
    }
    try {
      const found = assess(patient);
      if (found.in_domain) showRisk(found);
      else showRefusal(found.reasons);
    } catch (error) {
      showRefusal([], error.message);
    }
  }

  form.addEventListener("input", update);
  form.addEventListener("change", update);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    asked = true;
    update();
    const bad = form.querySelector(".bad");
    if (bad && answer.className === "waiting") bad.querySelector("input, select").focus();
    else answer.focus();
  });
  form.addEventListener("reset", () => {
    asked = false;
    setTimeout(update, 0);
  });
  update();
  document.documentElement.classList.add("works");
})();
