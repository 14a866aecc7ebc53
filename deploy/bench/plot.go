package main

import (
	"cmp"
	"image/color"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

// drawing is a plot of one kind of benchmark. The names of its cases have the form
// Kind/key=value/key=value: one key is the axis, another names the lines.
type drawing struct {
	file, title string
	kind        string   // the benchmark
	axis        string   // the key whose values are the x axis
	line        string   // the key whose values are lines; "" where each unit is one
	units       []string // the y axis
	x, y        string   // what the axes say
	top         float64  // of the y axis; 0 for all
}

var plots = []drawing{
	{file: "attach.svg", title: "Time to attached", kind: "Attach", axis: "T", line: "who", units: []string{"×T-p50"}, x: "T, what the cloud takes (s)", y: "time to attached ÷ T, median", top: 3},
	{file: "calls.svg", title: "Calls a story", kind: "Attach", axis: "T", line: "who", units: []string{"calls"}, x: "T, what the cloud takes (s)", y: "calls, at most", top: 30},
	{file: "own-part.svg", title: "From an event to its outcome, in a cloud that takes no time", kind: "OwnPart", axis: "rate", units: []string{"ms-p50", "ms-p99"}, x: "events a second", y: "ms"},
	{file: "accept.svg", title: "Events a second", kind: "Accept", axis: "HAVIPs", units: []string{"accepted/s", "ended/s"}, x: "HAVIPs on the roster", y: "a second"},
	{file: "at-once.svg", title: "So many events about one HAVIP at once, 20 ms a sync", kind: "AtOnce", axis: "events", units: []string{"s-p50", "s-p99"}, x: "events", y: "s to the answer"},
	{file: "waiting.svg", title: "A thousand due within a second, beside so many that wait", kind: "Waiting", axis: "waiting", units: []string{"ms-late-p50", "ms-late-p99"}, x: "follow-ups that wait", y: "ms late"},
}

// draw writes the plot, where there is anything of it.
func (d drawing) draw(folder string, r Run) error {
	lines := d.lines(r)
	if len(lines) == 0 {
		return nil
	}
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = d.title, d.x, d.y
	p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	p.Legend.Top, p.Legend.Left = true, d.top == 0 // where the lines are not
	p.Add(plotter.NewGrid())
	for i, name := range slices.Sorted(maps.Keys(lines)) {
		points := lines[name]
		slices.SortFunc(points, func(a, b plotter.XY) int { return cmp.Compare(a.X, b.X) })
		line, dots, err := plotter.NewLinePoints(points)
		if err != nil {
			return err
		}
		line.Color, dots.Color = colours[i%len(colours)], colours[i%len(colours)]
		line.Width, dots.Radius = vg.Points(1.5), vg.Points(2)
		p.Add(line, dots)
		p.Legend.Add(name, line)
	}
	p.Y.Min = 0
	if d.top > 0 {
		p.Y.Max = min(p.Y.Max, d.top)
	}
	return p.Save(18*vg.Centimeter, 10*vg.Centimeter, filepath.Join(folder, d.file))
}

// colours can be told apart by most, and on paper: Okabe and Ito's.
var colours = []color.Color{
	color.RGBA{0, 114, 178, 255}, color.RGBA{213, 94, 0, 255}, color.RGBA{0, 158, 115, 255},
	color.RGBA{204, 121, 167, 255}, color.RGBA{86, 180, 233, 255}, color.RGBA{0, 0, 0, 255},
}

// lines are the points of each.
func (d drawing) lines(r Run) map[string]plotter.XYs {
	lines := map[string]plotter.XYs{}
	for _, one := range r.Results {
		if kind(one.Name) != d.kind {
			continue
		}
		of := keys(one.Name)
		x, ok := number(of[d.axis])
		for _, unit := range d.units {
			if y, measured := one.Metrics[unit]; ok && measured {
				name := cmp.Or(of[d.line], unit)
				lines[name] = append(lines[name], plotter.XY{X: x, Y: y})
			}
		}
	}
	return lines
}

// kind is the name of a benchmark without its case.
func kind(name string) string {
	name, _, _ = strings.Cut(name, "/")
	name, _, _ = strings.Cut(name, "-")
	return name
}

// keys are the case of a benchmark. The last one has the number of processors behind it.
func keys(name string) map[string]string {
	of := map[string]string{}
	if i := strings.LastIndex(name, "-"); i > 0 {
		name = name[:i]
	}
	for part := range strings.SplitSeq(name, "/") {
		if key, value, ok := strings.Cut(part, "="); ok {
			of[key] = value
		}
	}
	return of
}

// number reads a number, or a time in seconds. An axis that grows by factors has no 0.
func number(value string) (float64, bool) {
	if d, err := time.ParseDuration(value); err == nil && d > 0 {
		return d.Seconds(), true
	}
	n, err := strconv.ParseFloat(value, 64)
	return n, err == nil && n > 0
}
