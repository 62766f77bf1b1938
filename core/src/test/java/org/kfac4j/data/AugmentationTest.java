package org.kfac4j.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class AugmentationTest {
  private static final int CHANNELS = 2;
  private static final int ROWS = 5;
  private static final int COLUMNS = 6;
  private static final int LENGTH = CHANNELS * ROWS * COLUMNS;

  private static Augmentation augmentation(int padding, boolean flip) {
    return new Augmentation(CHANNELS, ROWS, COLUMNS, padding, flip, 42);
  }

  private static float[] image() {
    float[] image = new float[LENGTH];
    for (int i = 0; i < LENGTH; i++) {
      image[i] = i + 1;
    }
    return image;
  }

  private static float[] applied(Augmentation augmentation, long id, long epoch) {
    float[] features = image();
    augmentation.apply(features, 0, id, epoch);
    return features;
  }

  /** Every result is one of the (2p + 1)² · 2 images that a brute-force loop makes. */
  @Test
  void everyImageIsOneOfThoseThatThereAre() {
    Set<String> possible = new HashSet<>();
    for (int down = -1; down <= 1; down++) {
      for (int right = -1; right <= 1; right++) {
        for (boolean mirrored : new boolean[] {false, true}) {
          possible.add(java.util.Arrays.toString(moved(down, right, mirrored)));
        }
      }
    }
    assertThat(possible).hasSize(18);
    Set<String> seen = new HashSet<>();
    for (int id = 0; id < 1000; id++) {
      seen.add(java.util.Arrays.toString(applied(augmentation(1, true), id, 0)));
    }
    assertThat(seen).isEqualTo(possible);
  }

  private static float[] moved(int down, int right, boolean mirrored) {
    float[] original = image();
    float[] padded = new float[CHANNELS * (ROWS + 2) * (COLUMNS + 2)];
    for (int c = 0; c < CHANNELS; c++) {
      for (int y = 0; y < ROWS; y++) {
        for (int x = 0; x < COLUMNS; x++) {
          padded[(c * (ROWS + 2) + y + 1) * (COLUMNS + 2) + x + 1] =
              original[(c * ROWS + y) * COLUMNS + x];
        }
      }
    }
    float[] result = new float[LENGTH];
    for (int c = 0; c < CHANNELS; c++) {
      for (int y = 0; y < ROWS; y++) {
        for (int x = 0; x < COLUMNS; x++) {
          int column = mirrored ? COLUMNS - 1 - x : x;
          result[(c * ROWS + y) * COLUMNS + x] =
              padded[(c * (ROWS + 2) + y + 1 + down) * (COLUMNS + 2) + column + 1 + right];
        }
      }
    }
    return result;
  }

  @Test
  void choicesAreAboutUniformAndMirroringIsEven() {
    int still = 0;
    int mirrored = 0;
    for (int id = 0; id < 9000; id++) {
      still += applied(augmentation(1, false), id, 3)[8] == image()[8] ? 1 : 0;
      mirrored += applied(augmentation(0, true), id, 3)[0] == COLUMNS ? 1 : 0;
    }
    // Four standard deviations of a binomial count.
    assertThat(still).isBetween(1000 - 120, 1000 + 120);
    assertThat(mirrored).isBetween(4500 - 190, 4500 + 190);
  }

  @Test
  void anImageDependsOnSeedEpochAndIdAlone() {
    Augmentation crop = augmentation(2, true);
    assertThat(applied(crop, 7, 1)).isEqualTo(applied(augmentation(2, true), 7, 1));
    int differs = 0;
    for (int epoch = 0; epoch < 20; epoch++) {
      differs += java.util.Arrays.equals(applied(crop, 7, epoch), applied(crop, 7, 20)) ? 0 : 1;
    }
    assertThat(differs).isGreaterThan(10);
  }

  @Test
  void neighboursInAnArrayAreLeftAlone() {
    float[] three = new float[3 * LENGTH];
    java.util.Arrays.fill(three, -1);
    System.arraycopy(image(), 0, three, LENGTH, LENGTH);
    augmentation(2, true).apply(three, LENGTH, 5, 0);
    for (int i = 0; i < LENGTH; i++) {
      assertThat(three[i]).isEqualTo(-1);
      assertThat(three[2 * LENGTH + i]).isEqualTo(-1);
    }
    assertThat(java.util.Arrays.copyOfRange(three, LENGTH, 2 * LENGTH))
        .isEqualTo(applied(augmentation(2, true), 5, 0));
  }

  @Test
  void noneChangesNothingAndNonsenseIsRefused() {
    float[] features = {1, 2, 3};
    Augmentation.NONE.apply(features, 1, 5, 0);
    assertThat(features).containsExactly(1, 2, 3);
    assertThatThrownBy(() -> augmentation(-1, false)).hasMessageContaining("-1");
    assertThatThrownBy(() -> new Augmentation(0, 1, 1, 0, true, 0))
        .hasMessageContaining("[0, 1, 1]");
  }
}
