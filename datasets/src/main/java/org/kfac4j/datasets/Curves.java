package org.kfac4j.datasets;

import java.util.Arrays;
import java.util.Locale;
import org.kfac4j.InvalidInputException;
import org.kfac4j.data.DataSource;
import org.kfac4j.data.ExampleShape;
import org.kfac4j.data.Examples;

/**
 * The CURVES autoencoder benchmark: grey images, [28, 28] row by row, of a smooth soft stroke
 * through three random points on black. Introduced by Hinton and Salakhutdinov (Science 313, 2006),
 * used by Martens and Grosse (arXiv:1503.05671, §13). The images are of the same kind and number as
 * those of the papers, but not the same images. Width and intensity of the stroke are chosen so
 * that the best constant prediction has a cross-entropy of 126 nats per image (training that is
 * stuck on the original shows 125) and the pixels an entropy of 57 nats, which is the least that
 * any model can reach.
 *
 * <p>Example i of a part is a function of (seed, part, i) and nothing else, with the same bits on
 * every JVM:
 *
 * <ol>
 *   <li>Points p₀, p₁, p₂, coordinates in pixels: y uniform in [2, 26]; x uniform over all triples
 *       in [2, 26] that are at least 2 apart from left to right.
 *   <li>The natural cubic spline through them over the length of their chords, h₁ = |p₁ − p₀| and
 *       h₂ = |p₂ − p₁|: with M = 3 ((p₂ − p₁)/h₂ − (p₁ − p₀)/h₁) / (h₁ + h₂), the second derivative
 *       at p₁,
 *       <pre>
 *       c₁(t) = (1 − t) p₀ + t p₁ + M h₁²/6 (t³ − t)
 *       c₂(t) = (1 − t) p₁ + t p₂ + M h₂²/6 ((1 − t)³ − (1 − t)),   t ∈ [0, 1].</pre>
 *       If it leaves [2, 26]², new points are drawn.
 *   <li>A pixel whose centre is d away from the spline has intensity {@value #PEAK} · max(0, 1 − d
 *       / {@value #RADIUS}).
 * </ol>
 *
 * @param size number of examples
 */
public record Curves(long seed, Part part, long size) implements DataSource {
  /** Width and height of an image, in pixels. */
  public static final int SIDE = 28;

  /** Numbers per image. */
  public static final int PIXELS = SIDE * SIDE;

  private static final double LOWEST = 2;
  private static final double HIGHEST = 26;
  private static final double APART = 2;
  private static final double RADIUS = 2;
  private static final double PEAK = 0.65;

  /**
   * Straight pieces that stand for each half of the spline; they are off by less than 0.06 pixels.
   */
  private static final int PIECES = 16;

  private static final ExampleShape SHAPE = new ExampleShape(PIXELS, PIXELS, false);

  /** Which examples: the two parts of one seed have nothing in common. */
  public enum Part {
    TRAIN(0, 20_000),
    TEST(1, 10_000);

    private final long stream;
    private final long defaultSize;

    Part(long stream, long defaultSize) {
      this.stream = stream;
      this.defaultSize = defaultSize;
    }

    /** Number of examples in the papers. */
    public long defaultSize() {
      return defaultSize;
    }
  }

  /**
   * @throws InvalidInputException if {@code size} is not positive
   */
  public Curves {
    InvalidInputException.require(
        size >= 1, "curves: number of %s examples must be at least 1, got %d", lower(part), size);
  }

  /** As many examples as in the papers. */
  public Curves(long seed, Part part) {
    this(seed, part, part.defaultSize());
  }

  @Override
  public String name() {
    return "curves (" + lower(part) + ")";
  }

  @Override
  public ExampleShape shape() {
    return SHAPE;
  }

  @Override
  public Examples read(long from, long to) {
    int count = Ranges.count(this, from, to);
    float[] pixels = new float[count * PIXELS];
    double[] squaredDistances = new double[PIXELS];
    for (int row = 0; row < count; row++) {
      draw(spline(from + row), squaredDistances, pixels, row * PIXELS);
    }
    return Examples.reconstruction(from, count, pixels);
  }

  /**
   * The stroke's middle line as 2 · {@value #PIECES} + 1 corners: x₀, y₀, x₁, y₁, … in pixels from
   * the image's top left corner. Corners 0, {@value #PIECES} and 2 · {@value #PIECES} are the
   * example's three points.
   */
  double[] spline(long index) {
    var random = new SplitMix(seed, part.stream, index);
    double[] corners = new double[2 * (2 * PIECES + 1)];
    double[] x = new double[3];
    do {
      for (int i = 0; i < 3; i++) {
        x[i] = random.between(LOWEST, HIGHEST - 2 * APART);
      }
      Arrays.sort(x);
      interpolate(
          x[0],
          random.between(LOWEST, HIGHEST),
          x[1] + APART,
          random.between(LOWEST, HIGHEST),
          x[2] + 2 * APART,
          random.between(LOWEST, HIGHEST),
          corners);
    } while (!inside(corners));
    return corners;
  }

  private static void interpolate(
      double x0, double y0, double x1, double y1, double x2, double y2, double[] corners) {
    double h1 = Math.sqrt((x1 - x0) * (x1 - x0) + (y1 - y0) * (y1 - y0));
    double h2 = Math.sqrt((x2 - x1) * (x2 - x1) + (y2 - y1) * (y2 - y1));
    double xBend = 0.5 * ((x2 - x1) / h2 - (x1 - x0) / h1) / (h1 + h2); // M / 6
    double yBend = 0.5 * ((y2 - y1) / h2 - (y1 - y0) / h1) / (h1 + h2);
    int last = 2 * PIECES;
    for (int i = 0; i <= PIECES; i++) {
      double t = i / (double) PIECES;
      double s = 1 - t;
      double cubic = t * t * t - t;
      corners[2 * i] = s * x0 + t * x1 + xBend * h1 * h1 * cubic;
      corners[2 * i + 1] = s * y0 + t * y1 + yBend * h1 * h1 * cubic;
      corners[2 * (last - i)] = s * x2 + t * x1 + xBend * h2 * h2 * cubic;
      corners[2 * (last - i) + 1] = s * y2 + t * y1 + yBend * h2 * h2 * cubic;
    }
  }

  private static boolean inside(double[] corners) {
    for (double each : corners) {
      if (each < LOWEST || each > HIGHEST) {
        return false;
      }
    }
    return true;
  }

  /**
   * Writes the image of one stroke to {@code pixels[offset …]}; the scratch array is overwritten.
   */
  private static void draw(
      double[] corners, double[] squaredDistances, float[] pixels, int offset) {
    Arrays.fill(squaredDistances, RADIUS * RADIUS);
    for (int i = 0; i + 3 < corners.length; i += 2) {
      approach(corners[i], corners[i + 1], corners[i + 2], corners[i + 3], squaredDistances);
    }
    for (int i = 0; i < PIXELS; i++) {
      if (squaredDistances[i] < RADIUS * RADIUS) {
        pixels[offset + i] = (float) (PEAK * (1 - Math.sqrt(squaredDistances[i]) / RADIUS));
      }
    }
  }

  /** Lowers to the squared distance from the line a–b wherever that is smaller. */
  private static void approach(
      double ax, double ay, double bx, double by, double[] squaredDistances) {
    double dx = bx - ax;
    double dy = by - ay;
    double squaredLength = dx * dx + dy * dy;
    int left = Math.max(0, (int) (Math.min(ax, bx) - RADIUS));
    int right = Math.min(SIDE - 1, (int) (Math.max(ax, bx) + RADIUS));
    int top = Math.max(0, (int) (Math.min(ay, by) - RADIUS));
    int bottom = Math.min(SIDE - 1, (int) (Math.max(ay, by) + RADIUS));
    for (int row = top; row <= bottom; row++) {
      double py = row + 0.5 - ay;
      for (int column = left; column <= right; column++) {
        double px = column + 0.5 - ax;
        double along = squaredLength > 0 ? (px * dx + py * dy) / squaredLength : 0;
        double t = Math.max(0, Math.min(1, along));
        double ex = px - t * dx;
        double ey = py - t * dy;
        int pixel = row * SIDE + column;
        squaredDistances[pixel] = Math.min(squaredDistances[pixel], ex * ex + ey * ey);
      }
    }
  }

  private static String lower(Part part) {
    return part.name().toLowerCase(Locale.ROOT);
  }

  /** SplitMix64 (Steele, Lea and Flood, OOPSLA 2014), started at a hash of its arguments. */
  private static final class SplitMix {
    private static final long GOLDEN = 0x9e3779b97f4a7c15L;
    private long state;

    SplitMix(long seed, long stream, long index) {
      state = mix(mix(mix(seed + GOLDEN) + stream + GOLDEN) + index + GOLDEN);
    }

    double between(double low, double high) {
      state += GOLDEN;
      return low + (high - low) * ((mix(state) >>> 11) * 0x1p-53);
    }

    private static long mix(long z) {
      z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
      z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
      return z ^ (z >>> 31);
    }
  }
}
