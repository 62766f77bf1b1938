package org.kfac4j.datasets;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.HashSet;
import org.junit.jupiter.api.Test;
import org.kfac4j.InvalidInputException;
import org.kfac4j.datasets.Curves.Part;

class CurvesTest {
  private static final long SEED = 42;
  private static final int SAMPLE = 2000;
  private static final Curves CURVES = new Curves(SEED, Part.TRAIN);

  @Test
  void sizesAreThoseOfThePapersUnlessGiven() {
    assertThat(new Curves(SEED, Part.TRAIN).size()).isEqualTo(20_000);
    assertThat(new Curves(SEED, Part.TEST).size()).isEqualTo(10_000);
    assertThat(new Curves(SEED, Part.TEST, 7).size()).isEqualTo(7);
    assertThatThrownBy(() -> new Curves(SEED, Part.TEST, 0))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("curves: number of test examples must be at least 1, got 0");
  }

  @Test
  void anImageDependsOnSeedPartAndIndexOnly() {
    float[] together = CURVES.read(0, 50).features();
    for (int i = 0; i < 50; i++) {
      float[] alone = new Curves(SEED, Part.TRAIN, 1000).read(i, i + 1).features();
      assertThat(alone).isEqualTo(image(together, i));
    }
  }

  /** The number was printed by this code; it changes if a JVM computes anything differently. */
  @Test
  void theSameBitsComeOutOnEveryJvm() {
    int train = Arrays.hashCode(CURVES.read(0, 1000).features());
    int test = Arrays.hashCode(new Curves(SEED, Part.TEST).read(9000, 10_000).features());
    assertThat(train).isEqualTo(-1645261970);
    assertThat(test).isEqualTo(-1359347245);
  }

  @Test
  void noTwoImagesOfAnySeedOrPartAreEqual() {
    var seen = new HashSet<Integer>();
    int images = 0;
    for (long seed = -2; seed <= 2; seed++) {
      for (Part part : Part.values()) {
        float[] pixels = new Curves(seed, part).read(0, 200).features();
        for (int i = 0; i < 200; i++, images++) {
          seen.add(Arrays.hashCode(image(pixels, i)));
        }
      }
    }
    assertThat(seen).hasSize(images);
  }

  @Test
  void theTargetIsTheImage() {
    var examples = CURVES.read(3, 5);
    assertThat(examples.targets()).isEqualTo(examples.features());
    assertThat(examples.labels()).isNull();
  }

  @Test
  void theStrokePassesThroughThreePointsFromLeftToRight() {
    float[] pixels = CURVES.read(0, SAMPLE).features();
    for (int i = 0; i < SAMPLE; i++) {
      double[] corners = CURVES.spline(i);
      int middle = corners.length / 4 * 2;
      assertThat(corners[middle] - corners[0]).isGreaterThanOrEqualTo(2);
      assertThat(corners[corners.length - 2] - corners[middle]).isGreaterThanOrEqualTo(2);
      for (int point : new int[] {0, middle, corners.length - 2}) {
        // The nearest pixel's centre is at most √½ away.
        assertThat(at(image(pixels, i), corners[point], corners[point + 1]))
            .isGreaterThan((float) (0.65 * (1 - Math.sqrt(0.5) / 2)) - 1e-6f);
      }
    }
  }

  @Test
  void theStrokeStaysInsideTheImageAndHasNoSteps() {
    for (int i = 0; i < SAMPLE; i++) {
      double[] corners = CURVES.spline(i);
      for (int c = 0; c < corners.length; c += 2) {
        assertThat(corners[c]).isBetween(2.0, 26.0);
        assertThat(corners[c + 1]).isBetween(2.0, 26.0);
        if (c > 0) {
          double step = Math.hypot(corners[c] - corners[c - 2], corners[c + 1] - corners[c - 1]);
          assertThat(step).isLessThan(4);
        }
      }
    }
  }

  @Test
  void theInkIsOneConnectedPiece() {
    float[] pixels = CURVES.read(0, SAMPLE).features();
    for (int i = 0; i < SAMPLE; i++) {
      float[] image = image(pixels, i);
      int first = 0;
      while (image[first] == 0) {
        first++;
      }
      erase(image, first);
      assertThat(image).as("image %d without its first piece", i).containsOnly(0);
    }
  }

  @Test
  void edgesAreSoft() {
    float[] pixels = CURVES.read(0, 1).features();
    var levels = new HashSet<Float>();
    for (float pixel : pixels) {
      levels.add(pixel);
    }
    assertThat(levels).hasSizeGreaterThan(30);
    assertThat(pixels).contains(0);
  }

  /**
   * Cross-entropies in nats per image, which say at which losses training starts, gets stuck and
   * ends. 124.6 = 784 · 0.1589 is where published training runs on the original images get stuck.
   */
  @Test
  void lossesAreThoseOfTheOriginal() {
    float[] pixels = CURVES.read(0, SAMPLE).features();
    double[] mean = new double[Curves.PIXELS];
    double entropy = 0;
    for (int i = 0; i < pixels.length; i++) {
      mean[i % Curves.PIXELS] += (double) pixels[i] / SAMPLE;
      entropy += entropy(pixels[i]) / SAMPLE;
    }
    assertThat(Arrays.stream(mean).map(CurvesTest::entropy).sum()).isCloseTo(124.6, within(4.0));
    assertThat(entropy).isCloseTo(57, within(2.0));
    assertThat(Arrays.stream(mean).average().orElseThrow()).isBetween(0.035, 0.05);
  }

  @Test
  void aRangeOutsideIsRefused() {
    assertThatThrownBy(() -> CURVES.read(19_999, 20_001))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("curves (train): range must be inside [0, 20000), got [19999, 20001)");
    assertThatThrownBy(() -> CURVES.read(5, 4)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> CURVES.read(-1, 4)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new Curves(SEED, Part.TRAIN, Long.MAX_VALUE).read(0, Long.MAX_VALUE))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("a range may hold at most");
  }

  private static float[] image(float[] pixels, int row) {
    return Arrays.copyOfRange(pixels, row * Curves.PIXELS, (row + 1) * Curves.PIXELS);
  }

  private static float at(float[] image, double x, double y) {
    return image[Math.min((int) y, 27) * Curves.SIDE + Math.min((int) x, 27)];
  }

  private static void erase(float[] image, int pixel) {
    image[pixel] = 0;
    int row = pixel / Curves.SIDE;
    int column = pixel % Curves.SIDE;
    for (int r = Math.max(0, row - 1); r <= Math.min(Curves.SIDE - 1, row + 1); r++) {
      for (int c = Math.max(0, column - 1); c <= Math.min(Curves.SIDE - 1, column + 1); c++) {
        if (image[r * Curves.SIDE + c] > 0) {
          erase(image, r * Curves.SIDE + c);
        }
      }
    }
  }

  private static double entropy(double p) {
    return p <= 0 || p >= 1 ? 0 : -p * Math.log(p) - (1 - p) * Math.log(1 - p);
  }
}
