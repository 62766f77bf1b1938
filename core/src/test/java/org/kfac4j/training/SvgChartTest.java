package org.kfac4j.training;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.kfac4j.training.SvgChart.Line;
import org.kfac4j.training.SvgChart.Look;
import org.kfac4j.training.SvgChart.Series;

class SvgChartTest {
  private static final double[] X = {64, 128, 256};

  @Test
  void drawsEachLineAsItIsTold() {
    String html =
        new SvgChart(
                "steps",
                "batch",
                "k",
                true,
                true,
                List.of(
                    Series.of("sgd", X, new double[] {1000, 500, 250}, new Look(0, Line.MARKED)),
                    Series.of("ideal", X, new double[] {1000, 500, 250}, new Look(9, Line.DASHED)),
                    Series.of("", X, new double[] {900, 1100, Double.NaN}, new Look(0, Line.FAINT)),
                    Series.of("out", X, new double[] {1, 10, 100}, new Look(-1, Line.CROSSES))))
            .html();
    assertThat(html)
        .contains("batch, log scale", "k, log scale", ">64<", ">128<", ">256<")
        .contains("class=\"s0 dots\"", "class=\"s1 dashed\"", "class=\"s0 spread\"")
        .contains("<i class=\"k0\"></i>sgd", "<i class=\"k1 dashed\"></i>ideal", "<b>×</b>out");
    assertThat(html.split("class=\"sn cross\"", -1)).hasSize(1 + 3);
    assertThat(html.split("class=\"key\"", -1)).hasSize(1 + 3);
  }

  @Test
  void equalRatiosOfTheBatchAreEqualSteps() {
    String html =
        new SvgChart(
                "steps",
                "batch",
                "k",
                true,
                true,
                List.of(Series.of("a", X, new double[] {4, 2, 1}, new Look(0, Line.DASHED))))
            .html();
    String path = html.substring(html.indexOf("s0 dashed\" d=\"M") + 15);
    String[] points = path.substring(0, path.indexOf('"')).split("[L ]");
    double left = Double.parseDouble(points[0]);
    double middle = Double.parseDouble(points[2]);
    double right = Double.parseDouble(points[4]);
    assertThat(middle - left).isBetween(right - middle - 0.2, right - middle + 0.2);
  }

  @Test
  void linesByPlaceAreAsTheyWere() {
    String html =
        new SvgChart(
                "Loss",
                "iteration",
                "nats",
                false,
                List.of(
                    new Series("a", X, new double[] {3, 2, 1}, true),
                    new Series("b", X, new double[] {1, 2, 3}, false)))
            .html();
    assertThat(html)
        .contains("<i class=\"k0\"></i>a", "<i class=\"k1\"></i>b", "class=\"s0 dots\"")
        .contains(">iteration<", ">0<")
        .doesNotContain("log scale");
  }
}
