// Draws one dashboard of the chart with Grafana's own components, from data that the end-to-end test recorded.
import React from 'react';
import { createRoot } from 'react-dom/client';
import 'uplot/dist/uPlot.min.css';
import {
  FieldType, ThemeContext, createTheme, dateTime, getDisplayProcessor, getFieldDisplayName, toDataFrame,
} from '@grafana/data';
import { BigValue, BigValueColorMode, BigValueGraphMode, BigValueTextMode, PanelChrome, TimeSeries } from '@grafana/ui';

const { dashboard, file, recording } = window.input;
const theme = createTheme({ colors: { mode: 'light' } });
const column = 1600 / 24;
const row = 36;
const range = { from: dateTime(recording.from), to: dateTime(recording.to), raw: { from: 'now-5m', to: 'now' } };

function frames(panel) {
  const lines = recording.panels[`${file}#${panel.id}`] ?? [];
  return lines.map((line, seriesIndex) => {
    const frame = toDataFrame({
      fields: [
        { name: 'Time', type: FieldType.time, values: line.values.map((_, i) => recording.from + i * 1000) },
        { name: line.name, type: FieldType.number, values: line.values, config: { ...panel.fieldConfig.defaults } },
      ],
    });
    frame.fields[1].state = { seriesIndex };
    frame.fields[1].state.displayName = getFieldDisplayName(frame.fields[1], frame);
    frame.fields[1].display = getDisplayProcessor({ field: frame.fields[1], theme });
    return frame;
  });
}

function Stat({ panel, width, height }) {
  const field = frames(panel)[0].fields[1];
  const last = field.values.findLast((v) => v !== null);
  return (
    <BigValue
      value={{ ...field.display(last), title: undefined }} width={width} height={height} theme={theme}
      colorMode={BigValueColorMode.Background} graphMode={BigValueGraphMode.None} textMode={BigValueTextMode.Value}
    />
  );
}

function Graph({ panel, width, height }) {
  return (
    <TimeSeries
      frames={frames(panel)} width={width} height={height} timeRange={range} timeZone="utc"
      legend={{ ...panel.options.legend, calcs: [] }}
    />
  );
}

function Panel({ panel }) {
  const { x, y, w, h } = panel.gridPos;
  const place = { position: 'absolute', left: x * column + 4, top: y * row + 4 };
  if (panel.type === 'row') {
    return <h4 style={{ ...place, margin: 0, lineHeight: `${row}px`, whiteSpace: 'nowrap' }}>{panel.title}</h4>;
  }
  const Draw = panel.type === 'stat' ? Stat : Graph;
  return (
    <div style={place}>
      <PanelChrome title={panel.title} width={w * column - 8} height={h * row - 8}>
        {(width, height) => <Draw panel={panel} width={width} height={height} />}
      </PanelChrome>
    </div>
  );
}

document.body.style.background = theme.colors.background.canvas;
document.body.style.fontFamily = theme.typography.fontFamily;
createRoot(document.getElementById('page')).render(
  <ThemeContext.Provider value={theme}>
    <h2 style={{ position: 'absolute', left: 8, top: 4, margin: 0 }}>{dashboard.title}</h2>
    <div style={{ position: 'absolute', top: 40 }}>
      {dashboard.panels.map((panel) => <Panel key={panel.id} panel={panel} />)}
    </div>
  </ThemeContext.Provider>,
);
