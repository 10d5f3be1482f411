'use strict';
// Everything is readable without this: it adds links, sorting, filtering, details and buttons that copy.
(() => {
  const make = (tag, properties = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [key, value] of Object.entries(properties))
      key in element ? (element[key] = value) : element.setAttribute(key, value);
    element.append(...children);
    return element;
  };
  const drawn = (tag, attributes) => {
    const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };
  const runs = [...document.querySelectorAll('script.data')].map((s) => JSON.parse(s.textContent));

  // The same sections come once for each file.
  const articles = [...document.querySelectorAll('article')];
  articles.forEach((article, run) => {
    if (articles.length > 1)
      for (const section of article.querySelectorAll('section')) section.id += '-' + run;
    const links = document.querySelector('.links');
    for (const section of article.querySelectorAll('section'))
      links.append(make('a', {href: '#' + section.id, textContent: section.querySelector('h2').textContent}));
  });

  async function copy(text, button) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = make('textarea', {value: text});
      document.body.append(area);
      area.select();
      document.execCommand('copy');
      area.remove();
    }
    const before = button.textContent;
    button.textContent = 'Copied';
    setTimeout(() => (button.textContent = before), 1200);
  }
  const copyButton = (text) => {
    const button = make('button', {className: 'small', type: 'button', textContent: 'Copy'});
    button.addEventListener('click', () => copy(text, button));
    return button;
  };
  for (const line of document.querySelectorAll('.commands li')) line.append(copyButton(line.textContent));

  const duration = (s) => {
    for (const [unit, size] of [['s', 1], ['ms', 1e-3], ['us', 1e-6]])
      if (s >= size) return (s / size).toPrecision(4) + ' ' + unit;
    return (s * 1e9).toPrecision(4) + ' ns';
  };

  // Samples in the order taken, so that drift and outliers can be seen.
  function strip(samples, median) {
    const width = 320, height = 90, low = Math.min(...samples), high = Math.max(...samples);
    const y = (s) => (high > low ? height - 8 - ((s - low) / (high - low)) * (height - 16) : height / 2);
    const x = (i) => (samples.length > 1 ? 6 + (i / (samples.length - 1)) * (width - 12) : width / 2);
    const label = `${samples.length} samples from ${duration(low)} to ${duration(high)}, in the order taken`;
    const picture = drawn('svg', {viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': label, class: 'c0'});
    picture.append(drawn('path', {class: 'level', d: `M0 ${y(median)}H${width}`}));
    samples.forEach((s, i) => picture.append(drawn('circle', {class: 'mark', cx: x(i), cy: y(s), r: 3})));
    return make('div', {}, make('small', {textContent: label}), picture);
  }

  function details(row, columns) {
    const facts = make('dl');
    const fact = (name, value) =>
      value !== null && value !== undefined && value !== '' && facts.append(make('div', {}, make('dt', {textContent: name}), make('dd', {textContent: value})));
    fact('why', row.reason);
    fact('operands', row.operands);
    fact('compared', row.compared ? `${row.compared} numbers, ${row.compared_how}` : '');
    fact('largest error', row.max_abs_error);
    fact('limited by', row.ceiling_by);
    fact('threads', row.threads);
    fact('must move', `${row.bytes.toLocaleString('en')} bytes`);
    if (row.saturated) fact('saturated', `${row.saturated} of ${row.compared}`);
    if (row.speedup_vs_dense) fact('over the dense product', `${row.speedup_vs_dense.toPrecision(3)}x, ${row.theoretical_speedup_vs_dense.toPrecision(3)}x in theory`);
    fact('predicted', row.predicted_s === null ? '' : duration(row.predicted_s));
    if (row.samples) {
      fact('quartiles', `${duration(row.p25_s)} .. ${duration(row.p75_s)}`);
      fact('95 % and 99 %', `${duration(row.p95_s)}, ${duration(row.p99_s)}`);
      fact('samples', `${row.samples} of ${row.calls_per_sample} calls; stopped: ${row.stop}`);
    }
    const percent = (part) => (part * 100).toPrecision(3) + ' %';
    for (const other of ['reference', 'best']) {
      if (!row['verdict_vs_' + other] || row['verdict_vs_' + other] === 'none') continue;
      const times = ['', '_low', '_high'].map((end) => row['ratio_vs_' + other + end]?.toPrecision(4) + 'x');
      fact(other === 'best' ? 'against the fastest' : 'against the reference', `${row['verdict_vs_' + other]}: ${times[0]}, ${times[1]} .. ${times[2]}`);
      const smallest = row['smallest_effect_vs_' + other];
      if (smallest) fact('smallest effect that would be seen', percent(smallest));
    }
    fact('correlation with the order', row.drift?.toFixed(2));
    if (row.cold_median_s) fact('with cold caches', duration(row.cold_median_s));
    const inner = make('div', {className: 'inner'});
    if (row.samples) inner.append(strip(row.sample_s, row.median_s));
    inner.append(facts);
    if (row.reproduce) {
      const command = make('div', {className: 'command', style: 'grid-column: 1 / -1'}, make('code', {textContent: row.reproduce}), copyButton(row.reproduce));
      inner.append(command);
    }
    return make('tr', {className: 'detail'}, make('td', {colSpan: columns}, inner));
  }

  function addDetails(line, data, columns) {
    const button = make('button', {className: 'more', type: 'button', textContent: 'details', 'aria-expanded': 'false'});
    button.addEventListener('click', () => {
      const open = button.getAttribute('aria-expanded') === 'true';
      button.setAttribute('aria-expanded', String(!open));
      if (open) line.nextElementSibling.remove();
      else line.after(details(data, columns));
    });
    line.cells[0].append(' ', button);
  }

  function enhance(table) {
    const body = table.tBodies[0], heads = [...table.tHead.rows[0].cells], lines = [...body.rows];
    const data = table.dataset.run === undefined ? null : runs[Number(table.dataset.run)].rows;
    if (data) for (const line of lines) addDetails(line, data[Number(line.dataset.row)], heads.length);

    const key = (line, column) => {
      const cell = line.cells[column];
      return heads[column].classList.contains('n') ? ('v' in cell.dataset ? Number(cell.dataset.v) : null) : cell.textContent;
    };
    function sort(column, ascending) {
      closeDetails();
      const keyed = lines.map((line) => [key(line, column), line]);
      keyed.sort(([a], [b]) => {
        if (a === null || b === null) return (a === null) - (b === null);  // what is absent comes last, either way
        const order = typeof a === 'number' ? a - b : a.localeCompare(b, 'en', {numeric: true});
        return ascending ? order : -order;
      });
      for (const [, line] of keyed) body.append(line);
      heads.forEach((head, i) => head.setAttribute('aria-sort', i === column ? (ascending ? 'ascending' : 'descending') : 'none'));
    }
    function closeDetails() {
      for (const open of body.querySelectorAll('[aria-expanded=true]')) open.click();
    }
    heads.forEach((head, column) => {
      const button = make('button', {type: 'button', textContent: head.textContent});
      button.addEventListener('click', () => sort(column, head.getAttribute('aria-sort') !== 'ascending'));
      head.replaceChildren(button);
      head.setAttribute('aria-sort', 'none');
    });

    const options = (label, values) => {
      const select = make('select', {'aria-label': label}, make('option', {value: '', textContent: label}));
      for (const value of values) select.append(make('option', {value, textContent: value}));
      return select;
    };
    const distinct = (name) => [...new Set(lines.map((line) => line.dataset[name]))].sort();
    const text = make('input', {type: 'search', placeholder: 'Filter: matmul simd 512', 'aria-label': 'Filter rows'});
    const status = options('any result', distinct('status')), backend = options('any backend', distinct('backend'));
    const sorter = options('sort by', heads.map((head) => head.textContent));
    const count = make('span', {className: 'count', role: 'status'});
    sorter.classList.add('sorter');
    sorter.addEventListener('change', () => {
      const column = heads.findIndex((head) => head.textContent === sorter.value);
      if (column >= 0) sort(column, true);
    });
    const haystacks = lines.map((line) => line.textContent.toLowerCase());
    function filter() {
      closeDetails();
      const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      lines.forEach((line, i) => {
        const visible = (status.value === 'ran' ? line.dataset.status !== 'skipped' : !status.value || line.dataset.status === status.value) &&
          (!backend.value || line.dataset.backend === backend.value) && words.every((word) => haystacks[i].includes(word));
        line.hidden = !visible;
        shown += visible;
      });
      count.textContent = `${shown} of ${lines.length} rows`;
    }
    for (const control of [text, status, backend]) control.addEventListener('input', filter);
    // Kernels that could not run are shown when asked for.
    status.append(make('option', {value: 'ran', textContent: 'all but skipped'}));
    if (lines.some((line) => line.dataset.status !== 'skipped')) status.value = 'ran';
    const controls = table.closest('section').querySelector('.controls');
    controls.append(text, status, backend, sorter, count);
    controls.hidden = false;
    filter();
  }
  for (const table of document.querySelectorAll('table.sortable')) enhance(table);

  const footer = document.querySelector('footer');
  runs.forEach((run) => {
    const button = make('button', {className: 'small', type: 'button', textContent: 'Save the data as JSON'});
    button.addEventListener('click', () => {
      const link = make('a', {href: URL.createObjectURL(new Blob([JSON.stringify(run, null, 1)], {type: 'application/json'})), download: 'results.json'});
      link.click();
    });
    footer.append(' ', button);
  });
  addEventListener('beforeprint', () => document.querySelectorAll('details').forEach((d) => (d.open = true)));
})();
