package org.kfac4j.training;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FiguresTest {
  @ParameterizedTest
  @CsvSource({
    "0, 0",
    "-0.0, 0",
    "1, 1",
    "61.2345, 61.23",
    "150, 150",
    "1234567, 1235000",
    "12345678, 1.235e7",
    "0.00012, 0.00012",
    "0.000012, 1.2e-5",
    "-3.14159, -3.142",
    "99999.9, 100000",
    "NaN, NaN",
    "1e300, 1e300",
  })
  void numbersHaveFourDigits(double value, String text) {
    assertThat(Figures.number(value)).isEqualTo(text);
  }

  @ParameterizedTest
  @CsvSource({
    "0.0854, 85.4 ms",
    "4.23, 4.2 s",
    "59.99, 60.0 s",
    "370, 6:10",
    "3599.7, 1:00:00",
    "3723, 1:02:03",
    "0, 0 ms"
  })
  void durationsAreShort(double seconds, String text) {
    assertThat(Figures.duration(seconds)).isEqualTo(text);
  }

  @Test
  void numbersInNamesCountAsNumbers() {
    List<String> names = Arrays.asList("layer10 pi", "layer2 pi", "layer2 a", "bias");
    names.sort(Figures.NATURAL);
    assertThat(names).containsExactly("bias", "layer2 a", "layer2 pi", "layer10 pi");
  }
}
