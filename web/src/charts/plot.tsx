// A uPlot chart: a band from least to greatest, the values, and their smoothed course for each line.
import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import uPlot from 'uplot';

import { formatDuration, formatNumber } from '../format';
import { useSize } from '../hooks';
import { useStore } from '../store';
import { colours, token } from '../theme';
import type { ScalarPoint } from '../types';
import type { Line, TaggedLine } from './lines';
import { axisValue, type Axis, type Zoom } from './points';
import { smoothed } from './smoothing';

export const PLOT_HEIGHT = 220;
const SERIES_OF_LINE = 4; // least, greatest, value, smoothed
const DASHES = [[], [6, 4], [2, 3], [8, 3, 2, 3]];
const sync = uPlot.sync('scalars');

export interface PlotOptions {
  axis: Axis;
  isLog: boolean;
  smoothing: number;
}

// What is under the pointer: the place on the axis, and of each line the value and its smoothed course there.
export interface Reading {
  x: number;
  values: { value: number | null; smooth: number | null }[];
}

interface PlotProps {
  lines: readonly TaggedLine[];
  points: ReadonlyMap<string, ScalarPoint[]>;
  options: PlotOptions;
  zoom: Zoom | null;
  onZoom: (zoom: Zoom | null) => void;
  onRead: (reading: Reading | null) => void;
}

type Column = (number | null | undefined)[];

function chartData(lines: readonly TaggedLine[], points: ReadonlyMap<string, ScalarPoint[]>, options: PlotOptions): uPlot.AlignedData {
  // The logarithm of what is not above zero is nowhere.
  const drawn = (value: number | null): number | null => (options.isLog && value !== null && value <= 0 ? null : value);
  const tables = lines.map((tagged): uPlot.AlignedData => {
    const own = points.get(tagged.line.id) ?? [];
    const values = own.map((point) => drawn(point[4]));
    const course: Column = options.smoothing > 0 ? smoothed(values, options.smoothing) : values.map(() => undefined);
    return [
      own.map((point) => axisValue(options.axis, tagged, point)),
      own.map((point) => drawn(point[2])),
      own.map((point) => drawn(point[3])),
      values,
      course,
    ];
  });
  // Nulls stay gaps; the places where only other lines have a point do not become any.
  return uPlot.join(tables, tables.map((table) => table.map(() => 1)));
}

// The value of a line nearest to a place where it has none itself.
function nearest(column: Column, index: number): number | null {
  for (let away = 0; index - away >= 0 || index + away < column.length; ++away) {
    const before = column[index - away];
    if (before !== undefined && index - away >= 0) return before;
    const after = column[index + away];
    if (after !== undefined) return after;
  }
  return null;
}

function readingAt(plot: uPlot, lineCount: number): Reading | null {
  const index = plot.cursor.idx;
  const x = index === null || index === undefined ? undefined : plot.data[0][index];
  if (index === null || index === undefined || x === undefined) return null;
  const values = Array.from({ length: lineCount }, (_, line) => ({
    value: nearest(plot.data[1 + line * SERIES_OF_LINE + 2] as Column, index),
    smooth: nearest(plot.data[1 + line * SERIES_OF_LINE + 3] as Column, index),
  }));
  return { x, values };
}

function colourOf(line: Line, opacity = ''): string {
  return token(`--series-${line.colour}`) + opacity;
}

function axisTick(axis: Axis, value: number): string {
  if (axis === 'relative') return formatDuration(value);
  return Math.abs(value) >= 1e6 ? formatNumber(value) : value.toLocaleString('en-US');
}

function lineSeries(line: Line, isSmoothing: () => boolean): uPlot.Series[] {
  const edge: uPlot.Series = { stroke: 'transparent', width: 0, points: { show: false } };
  const dash = DASHES[line.dash % DASHES.length]!;
  return [
    edge,
    edge,
    { stroke: () => colourOf(line, isSmoothing() ? '55' : ''), width: 1.5, dash, points: { size: 4 } },
    { stroke: () => colourOf(line), width: 2, dash, points: { size: 4 } },
  ];
}

interface Handlers {
  zoom: () => Zoom | null;
  isSmoothing: () => boolean;
  onZoom: (zoom: Zoom | null) => void;
  onRead: (plot: uPlot) => void;
}

function chartOptions(lines: readonly TaggedLine[], { axis, isLog }: PlotOptions, width: number, handlers: Handlers): uPlot.Options {
  const axisLook: uPlot.Axis = {
    stroke: () => token('--text-dim'),
    grid: { stroke: () => token('--grid'), width: 1 },
    ticks: { show: false },
    font: '11px system-ui, sans-serif',
  };
  return {
    width,
    height: PLOT_HEIGHT,
    legend: { show: false },
    // Other charts show the same place of the axis.
    cursor: {
      sync: {
        key: sync.key,
        scales: ['x', null],
        // A range that is dragged is that of one chart.
        filters: { pub: (type) => type === 'mousemove' || type === 'mouseleave' },
      },
      drag: { x: true, y: false, setScale: false },
      points: { size: 6 },
      bind: {
        dblclick: () => () => {
          handlers.onZoom(null);
          return null;
        },
      },
    },
    scales: {
      x: {
        time: axis === 'wall',
        range: (_plot, least, most) => {
          const zoom = handlers.zoom();
          if (zoom) return [zoom[0], zoom[1]];
          return least === most ? [least - 1, most + 1] : [least, most];
        },
      },
      y: { distr: isLog ? 3 : 1 },
    },
    axes: [
      { ...axisLook, size: 28, ...(axis === 'wall' ? {} : { values: (_plot, ticks) => ticks.map((tick) => axisTick(axis, tick)) }) },
      { ...axisLook, size: 62, values: (_plot, ticks) => ticks.map((tick) => (tick === null ? '' : formatNumber(tick))) },
    ],
    series: [{}, ...lines.flatMap(({ line }) => lineSeries(line, handlers.isSmoothing))],
    bands: lines.map(({ line }, index) => ({
      series: [2 + index * SERIES_OF_LINE, 1 + index * SERIES_OF_LINE] as [number, number],
      fill: () => colourOf(line, '22'),
    })),
    hooks: {
      setCursor: [handlers.onRead],
      setSelect: [
        (plot) => {
          const { left, width: selected } = plot.select;
          if (selected < 4) return;
          handlers.onZoom([plot.posToVal(left, 'x'), plot.posToVal(left + selected, 'x')]);
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        },
      ],
    },
  };
}

export function Plot({ lines, points, options, zoom, onZoom, onRead }: PlotProps) {
  const frame = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const { width } = useSize(frame);
  const colourRound = useStore(colours);
  const data = useMemo(() => chartData(lines, points, options), [lines, points, options]);

  // The chart is made once for what it is made of, and asks here for what changes.
  const latest = useRef({ zoom, onZoom, onRead, smoothing: options.smoothing, data });
  latest.current = { zoom, onZoom, onRead, smoothing: options.smoothing, data };
  const made = `${options.axis} ${options.isLog} ${lines.map(({ line }) => line.id).join(' ')}`;
  const hasWidth = width > 0;
  useLayoutEffect(() => {
    const element = frame.current;
    if (!element || !hasWidth) return;
    const chart = new uPlot(
      chartOptions(lines, options, element.clientWidth, {
        zoom: () => latest.current.zoom,
        isSmoothing: () => latest.current.smoothing > 0,
        onZoom: (range) => latest.current.onZoom(range),
        onRead: (read) => latest.current.onRead(readingAt(read, lines.length)),
      }),
      latest.current.data,
      element,
    );
    plot.current = chart;
    return () => {
      plot.current = null;
      chart.destroy();
    };
    // `made` stands for the lines and options that the chart cannot change.
  }, [made, hasWidth]);

  useEffect(() => plot.current?.setData(data), [data, zoom]);
  useEffect(() => {
    if (width > 0) plot.current?.setSize({ width, height: PLOT_HEIGHT });
  }, [width]);
  useEffect(() => plot.current?.redraw(false), [colourRound]);

  return <div class="plot" ref={frame} style={{ height: `${PLOT_HEIGHT}px` }} />;
}
