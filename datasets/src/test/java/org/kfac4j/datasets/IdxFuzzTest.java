package org.kfac4j.datasets;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.kfac4j.InvalidInputException;
import org.kfac4j.data.LocalStorage;
import org.kfac4j.data.Storage;

/** Files with a few bytes changed or missing: either they read, or they are refused by name. */
class IdxFuzzTest {
  private static final long SEED = 42;
  private static final int ROUNDS = 300;
  private static final Storage STORAGE = new LocalStorage();
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  /** Floats of the most that gzip can pack into the file, and fixed buffers. */
  private static final long MOST_BYTES = 4 * 1032 * 300 + (1L << 20);

  @TempDir Path folder;

  @Test
  void damagedImagesReadOrAreRefused() throws IOException {
    byte[] images = IdxWriter.images(20);
    damageAndRead(images, IdxWriter.labels(20), true);
    damageAndRead(IdxWriter.gzip(images), IdxWriter.labels(20), true);
    double[] elements = new Random(SEED).doubles(30).toArray();
    damageAndRead(
        IdxWriter.idx(IdxWriter.DOUBLE, new int[] {20, 1}, Arrays.copyOf(elements, 20)),
        IdxWriter.labels(20),
        true);
  }

  @Test
  void damagedLabelsReadOrAreRefused() throws IOException {
    byte[] labels = IdxWriter.labels(20);
    damageAndRead(IdxWriter.images(20), labels, false);
    damageAndRead(IdxWriter.images(20), IdxWriter.gzip(labels), false);
  }

  private void damageAndRead(byte[] images, byte[] labels, boolean damageImages)
      throws IOException {
    assertThat(Math.max(images.length, labels.length)).isLessThanOrEqualTo(300);
    var random = new Random(SEED);
    String imageFile = IdxWriter.write(folder, "i", images);
    String labelFile = IdxWriter.write(folder, "l", labels);
    int refused = 0;
    for (int round = 0; round < ROUNDS; round++) {
      if (damageImages) {
        IdxWriter.write(folder, "i", damage(images, random));
      } else {
        IdxWriter.write(folder, "l", damage(labels, random));
      }
      long before = THREADS.getCurrentThreadAllocatedBytes();
      try {
        IdxImages source = IdxImages.classifier(STORAGE, imageFile, labelFile, 10);
        assertThat(source.read(0, source.size()).count()).isEqualTo(20);
      } catch (InvalidInputException e) {
        refused++;
        assertThat(e.getMessage()).contains(damageImages ? imageFile : labelFile);
        assertThat(e.getMessage()).doesNotContain("\n");
      }
      assertThat(THREADS.getCurrentThreadAllocatedBytes() - before).isLessThan(MOST_BYTES);
    }
    assertThat(refused).isGreaterThan(ROUNDS / 4);
  }

  /** Flips up to four bytes, one in two of them among the first 32, and cuts one file in four. */
  private static byte[] damage(byte[] bytes, Random random) {
    byte[] damaged = bytes.clone();
    for (int flips = random.nextInt(4); flips >= 0; flips--) {
      int where = random.nextInt(random.nextBoolean() ? Math.min(32, bytes.length) : bytes.length);
      damaged[where] = (byte) random.nextInt(256);
    }
    return random.nextInt(4) > 0 ? damaged : Arrays.copyOf(damaged, random.nextInt(bytes.length));
  }
}
