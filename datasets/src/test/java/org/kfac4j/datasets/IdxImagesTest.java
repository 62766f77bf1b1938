package org.kfac4j.datasets;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.kfac4j.datasets.IdxWriter.gzip;
import static org.kfac4j.datasets.IdxWriter.idx;
import static org.kfac4j.datasets.IdxWriter.images;
import static org.kfac4j.datasets.IdxWriter.labels;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.kfac4j.InvalidInputException;
import org.kfac4j.data.ExampleShape;
import org.kfac4j.data.Examples;
import org.kfac4j.data.LocalStorage;
import org.kfac4j.data.Storage;

class IdxImagesTest {
  private static final long SEED = 42;
  private static final Storage STORAGE = new LocalStorage();

  @TempDir Path folder;

  @Test
  void bytesBecomeNumbersFromZeroToOne() throws IOException {
    String file = write("a", idx(IdxWriter.UNSIGNED_BYTE, new int[] {2, 1, 2}, 0, 51, 127, 255));
    Examples read = IdxImages.autoencoder(STORAGE, file).read(0, 2);
    assertThat(read.features()).containsExactly(0, 0.2f, 127 / 255f, 1);
    assertThat(read.targets()).isEqualTo(read.features());
  }

  @ParameterizedTest
  @CsvSource({
    "9, -128, 127, 0, 1",
    "11, -32768, 32767, 0, 1",
    "12, -16777216, 16777216, 0, 1",
    "13, -0.5, 3.25, 0, 1e30",
    "14, -0.5, 3.25, 0, 1e30"
  })
  void otherElementsStayAsTheyAre(int type, float a, float b, float c, float d) throws IOException {
    byte[] bytes = idx(type, new int[] {2, 2}, a, b, c, d);
    for (byte[] each : new byte[][] {bytes, gzip(bytes)}) {
      IdxImages images = IdxImages.autoencoder(STORAGE, write("a", each));
      assertThat(images.shape()).isEqualTo(new ExampleShape(2, 2, false));
      assertThat(images.read(0, 2).features()).containsExactly(a, b, c, d);
      assertThat(images.read(1, 2).features()).containsExactly(c, d);
    }
  }

  @Test
  void anExampleMayHaveAnyNumberOfDimensions() throws IOException {
    var random = new Random(SEED);
    double[] elements = random.ints(2 * 3 * 4 * 5 * 6, 0, 256).asDoubleStream().toArray();
    String file = write("a", idx(IdxWriter.UNSIGNED_BYTE, new int[] {2, 3, 4, 1, 5, 6}, elements));
    IdxImages images = IdxImages.autoencoder(STORAGE, file);
    assertThat(images.shape().features()).isEqualTo(360);
    assertThat(images.read(1, 2).features()[359]).isEqualTo((float) (elements[719] / 255));
  }

  /** Longer than one chunk of the reader. */
  @Test
  void longFilesReadTheSamePackedAndPlain() throws IOException {
    byte[] bytes = images(30_000);
    IdxImages plain = IdxImages.autoencoder(STORAGE, write("a", bytes));
    IdxImages packed = IdxImages.autoencoder(STORAGE, write("b", gzip(bytes)));
    float[] all = plain.read(0, 30_000).features();
    assertThat(packed.read(0, 30_000).features()).isEqualTo(all);
    for (int from : new int[] {0, 12_345, 29_990}) {
      float[] expected = Arrays.copyOfRange(all, 6 * from, 6 * (from + 10));
      assertThat(plain.read(from, from + 10).features()).isEqualTo(expected);
      assertThat(packed.read(from, from + 10).features()).isEqualTo(expected);
    }
  }

  @Test
  void aGzipFileMayHaveSeveralMembers() throws IOException {
    byte[] bytes = images(5);
    var members = new ByteArrayOutputStream();
    members.write(gzip(Arrays.copyOf(bytes, 20)));
    members.write(gzip(Arrays.copyOfRange(bytes, 20, bytes.length)));
    IdxImages images = IdxImages.autoencoder(STORAGE, write("a", members.toByteArray()));
    assertThat(images.read(0, 5).features())
        .isEqualTo(IdxImages.autoencoder(STORAGE, write("b", bytes)).read(0, 5).features());
  }

  @ParameterizedTest
  @ValueSource(ints = {0x08, 0x09, 0x0B, 0x0C})
  void labelsMayBeAnyIntegers(int type) throws IOException {
    String labels = write("l", idx(type, new int[] {3}, 2, 0, 1));
    IdxImages images = IdxImages.classifier(STORAGE, write("i", images(3)), labels, 3);
    assertThat(images.shape()).isEqualTo(new ExampleShape(6, 3, true));
    assertThat(images.read(0, 3).labels()).containsExactly(2, 0, 1);
    assertThat(images.read(1, 2).labels()).containsExactly(0);
  }

  @Test
  void aMissingFileIsNamed() {
    String nowhere = folder.resolve("nowhere").toString();
    assertRefused(() -> IdxImages.autoencoder(STORAGE, nowhere), "no such file: " + nowhere);
  }

  @ParameterizedTest
  @ValueSource(ints = {0x00000703, 0x00000a03, 0x00000800, 0x01000803, 0x50303130})
  void anotherKindOfFileIsRefused(int magic) throws IOException {
    byte[] bytes = images(3);
    bytes[0] = (byte) (magic >> 24);
    bytes[1] = (byte) (magic >> 16);
    bytes[2] = (byte) (magic >> 8);
    bytes[3] = (byte) magic;
    String file = write("a", bytes);
    assertRefused(
        () -> IdxImages.autoencoder(STORAGE, file),
        file
            + ": not an IDX file: magic number must be 0x0000TTDD with type TT one of 08 09 0b 0c"
            + " 0d 0e and DD dimensions, got "
            + String.format("0x%08x", magic));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 3, 4, 11, 15})
  void aFileThatEndsInTheHeaderIsRefused(int length) throws IOException {
    for (boolean packed : new boolean[] {false, true}) {
      byte[] start = Arrays.copyOf(images(3), length);
      String file = write("a", packed ? gzip(start) : start);
      assertRefused(
          () -> IdxImages.autoencoder(STORAGE, file),
          file + ": not an IDX file: it ends within the header");
    }
  }

  @Test
  void dimensionsMustBePositive() throws IOException {
    String zero = write("a", idx(IdxWriter.UNSIGNED_BYTE, new int[] {3, 0, 3}));
    assertRefused(
        () -> IdxImages.autoencoder(STORAGE, zero),
        zero + ": dimension 2 must be at least 1, got 0");
    String negative = write("b", idx(IdxWriter.UNSIGNED_BYTE, new int[] {-5, 2}));
    assertRefused(
        () -> IdxImages.autoencoder(STORAGE, negative),
        negative + ": dimension 1 must be at least 1, got -5");
  }

  @Test
  void sizesThatOverflowAreRefused() throws IOException {
    int huge = Integer.MAX_VALUE;
    String wide = write("a", idx(IdxWriter.DOUBLE, new int[] {huge, huge, huge, 7, 7}));
    assertRefused(
        () -> IdxImages.autoencoder(STORAGE, wide),
        wide
            + ": an example may have at most 268435454 elements, got dimensions"
            + " 2147483647x2147483647");
    String many = write("b", idx(IdxWriter.DOUBLE, new int[] {huge, 268435454}));
    assertRefused(
        () -> IdxImages.autoencoder(STORAGE, many),
        many
            + ": truncated: header and 2147483647x268435454 elements need 4611685981920165916 bytes,"
            + " the file has 12");
  }

  @Test
  void aPlainFileMustHaveTheLengthThatItsHeaderAsksFor() throws IOException {
    byte[] bytes = images(3);
    String shorter = write("a", Arrays.copyOf(bytes, bytes.length - 1));
    assertRefused(
        () -> IdxImages.autoencoder(STORAGE, shorter),
        shorter + ": truncated: header and 3x2x3 elements need 34 bytes, the file has 33");
    String longer = write("b", Arrays.copyOf(bytes, bytes.length + 1));
    assertRefused(
        () -> IdxImages.autoencoder(STORAGE, longer),
        longer
            + ": longer than it should be: header and 3x2x3 elements need 34 bytes, the file has 35");
  }

  @Test
  void aGzippedFileWithTooFewImagesIsTruncated() throws IOException {
    String file = write("a", gzip(Arrays.copyOf(images(3), 33)));
    IdxImages images = IdxImages.autoencoder(STORAGE, file);
    assertThat(images.read(0, 2).count()).isEqualTo(2);
    assertRefused(
        () -> images.read(0, 3),
        file + ": truncated: it ends after 2 of 3 examples, 33 of 34 bytes");
    assertRefused(
        () -> images.read(2, 3),
        file + ": truncated: it ends after 2 of 3 examples, 33 of 34 bytes");
  }

  @Test
  void aGzippedFileThatIsCutOffIsTruncated() throws IOException {
    byte[] packed = gzip(images(1000));
    String half = write("a", Arrays.copyOf(packed, packed.length / 2));
    assertThatThrownBy(() -> IdxImages.autoencoder(STORAGE, half).read(0, 1000))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageMatching(
            ".*a: truncated: it ends after \\d+ of 1000 examples, \\d+ of 6016 bytes");
    String noChecksum = write("b", Arrays.copyOf(packed, packed.length - 3));
    assertRefused(
        () -> IdxImages.autoencoder(STORAGE, noChecksum).read(0, 1000),
        noChecksum + ": truncated: it ends after 1000 of 1000 examples, 6016 of 6016 bytes");
  }

  @Test
  void aGzippedFileWithTooManyBytesIsRefusedAtItsEnd() throws IOException {
    byte[] bytes = images(3);
    byte[] packed = gzip(bytes);
    String inside = write("a", gzip(Arrays.copyOf(bytes, bytes.length + 1)));
    String behind = write("b", Arrays.copyOf(packed, packed.length + 1));
    String farBehind = write("c", Arrays.copyOf(packed, packed.length + 100_000));
    for (String file : new String[] {inside, behind, farBehind}) {
      assertRefused(
          () -> IdxImages.autoencoder(STORAGE, file).read(0, 3),
          file + ": longer than it should be: the file goes on after 3x2x3 elements");
    }
  }

  @Test
  void aWrongChecksumIsFoundAtTheEnd() throws IOException {
    byte[] packed = gzip(images(3));
    packed[packed.length - 8] ^= 1;
    String file = write("a", packed);
    assertRefused(
        () -> IdxImages.autoencoder(STORAGE, file).read(0, 3),
        file + ": damaged gzip file: Corrupt GZIP trailer");
  }

  @Test
  void aGzippedHeaderThatPromisesTooMuchIsRefusedBeforeAllocation() throws IOException {
    byte[] packed = gzip(idx(IdxWriter.FLOAT, new int[] {1, 200_000_000}, 1, 2, 3));
    String file = write("a", packed);
    assertRefused(
        () -> IdxImages.autoencoder(STORAGE, file),
        file
            + ": truncated: 1x200000000 elements need 800000012 bytes, more than "
            + packed.length
            + " bytes of gzip can hold");
  }

  @Test
  void imagesAndLabelsMustAgreeInNumber() throws IOException {
    String images = write("i", images(6));
    String labels = write("l", labels(5));
    assertRefused(
        () -> IdxImages.classifier(STORAGE, images, labels, 10),
        "images and labels differ in number: 6 in " + images + ", 5 in " + labels);
  }

  @Test
  void imagesAndLabelsAreToldApart() throws IOException {
    String images = write("i", images(6));
    String labels = write("l", labels(6));
    assertRefused(
        () -> IdxImages.classifier(STORAGE, labels, images, 10),
        labels + ": holds labels (1 dimension: 6), images need 2 or more");
    assertRefused(
        () -> IdxImages.classifier(STORAGE, images, images, 10),
        images + ": labels need 1 dimension, got 3: 6x2x3");
  }

  @Test
  void labelsMustBeClasses() throws IOException {
    String images = write("i", images(20));
    double[] some = new double[20];
    some[17] = 11;
    String high = write("h", idx(IdxWriter.UNSIGNED_BYTE, new int[] {20}, some));
    assertRefused(
        () -> IdxImages.classifier(STORAGE, images, high, 10),
        high + ": label of example 17 must be in 0..9, got 11");
    assertThat(IdxImages.classifier(STORAGE, images, high, 12).size()).isEqualTo(20);
    some[17] = -1;
    String low = write("l", gzip(idx(IdxWriter.SIGNED_BYTE, new int[] {20}, some)));
    assertRefused(
        () -> IdxImages.classifier(STORAGE, images, low, 10),
        low + ": label of example 17 must be in 0..9, got -1");
    String real = write("r", idx(IdxWriter.FLOAT, new int[] {20}, some));
    assertRefused(
        () -> IdxImages.classifier(STORAGE, images, real, 10),
        real + ": labels must be integers, got FLOAT");
  }

  @ParameterizedTest
  @CsvSource({"13, NaN", "13, Infinity", "14, -Infinity", "14, 1e300"})
  void numbersMustBeFinite(int type, double bad) throws IOException {
    double[] elements = new double[12];
    elements[8] = bad;
    String file = write("a", idx(type, new int[] {3, 4}, elements));
    IdxImages images = IdxImages.autoencoder(STORAGE, file);
    assertThat(images.read(0, 2).count()).isEqualTo(2);
    for (int from = 0; from < 3; from++) {
      int start = from;
      assertRefused(
          () -> images.read(start, 3),
          file + ": element 0 of example 2 must be a finite float, got " + bad);
    }
  }

  private String write(String name, byte[] bytes) throws IOException {
    return IdxWriter.write(folder, name, bytes);
  }

  private static void assertRefused(ThrowingCallable call, String message) {
    assertThatThrownBy(call).isInstanceOf(InvalidInputException.class).hasMessage(message);
  }
}
